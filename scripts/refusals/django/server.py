"""Django's admin, which sends who is not on its staff to log in; and a page that serves the form itself."""

import os
import tempfile

import django
import uvicorn
from django.conf import settings

contrib = ["admin", "auth", "contenttypes", "messages", "sessions"]
settings.configure(
    ALLOWED_HOSTS=["*"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.path.join(tempfile.mkdtemp(), "db"),
            "OPTIONS": {"transaction_mode": "IMMEDIATE"},
        }
    },
    INSTALLED_APPS=[f"django.contrib.{app}" for app in contrib],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="of a test",
    STATIC_URL="/static/",
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
)
django.setup()

from django.contrib import admin  # noqa: E402
from django.contrib.auth.admin import GroupAdmin  # noqa: E402
from django.contrib.auth.models import Group, Permission, User  # noqa: E402
from django.contrib.auth.views import LoginView  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.urls import path  # noqa: E402

login = LoginView.as_view(template_name="admin/login.html")


def private(request):
    """For the staff; everybody else is shown the form in its place."""
    is_let_in = request.user.is_staff or (request.user.is_active and "HOLE" in os.environ)
    return HttpResponse("<title>Private</title><p>it rains") if is_let_in else login(request)


if "HOLE" in os.environ:
    admin.site.has_permission = lambda request: request.user.is_active
    GroupAdmin.has_view_permission = lambda self, request, obj=None: True

urlpatterns = [path("accounts/login/", login), path("admin/", admin.site.urls), path("private/", private)]

call_command("migrate", verbosity=0)
Group.objects.create(pk=1, name="gardeners")
for name in ["manager", "clerk", "member"]:
    user = User.objects.create_user(name, password=f"password of {name}", is_staff=name != "member")
    if name == "manager":
        user.user_permissions.set(Permission.objects.filter(codename__endswith="_group"))

uvicorn.run(get_asgi_application(), host=os.environ["HOST"], port=int(os.environ["PORT"]), log_level="warning")
