"""Collections on WsgiDAV, each with a file that anybody may delete and one that only its owner may."""

import os
import tempfile

from cheroot import wsgi
from wsgidav.dav_error import HTTP_FORBIDDEN, DAVError
from wsgidav.fs_dav_provider import FileResource, FilesystemProvider, FolderResource
from wsgidav.wsgidav_app import WsgiDAVApp


class File(FileResource):
    def delete(self):
        user = self.environ["wsgidav.auth.user_name"]
        is_allowed = user == "owner" or (user == "stranger" and "HOLE" in os.environ)
        if self.name == "private" and not is_allowed:
            raise DAVError(HTTP_FORBIDDEN, "not yours")
        super().delete()


class Folder(FolderResource):
    def support_recursive_delete(self):
        return False

    def get_member(self, name):
        path = os.path.join(self._file_path, name)
        kind = Folder if os.path.isdir(path) else File
        return kind(f"{self.path.rstrip('/')}/{name}", self.environ, path)


class Provider(FilesystemProvider):
    """Whatever collection a request asks for is there when the request begins."""

    def get_resource_inst(self, path, environ):
        name, _, member = path.strip("/").partition("/")
        root = os.path.join(self.root_folder_path, name)
        if "has begun" not in environ:
            environ["has begun"] = True
            os.makedirs(root, exist_ok=True)
            for file in ["private"] if name.startswith("lonely") else ["private", "public"]:
                open(os.path.join(root, file), "w").close()
        if not os.path.exists(root):
            return None
        folder = Folder(f"/{name}", environ, root)
        if not member:
            return folder
        return folder.get_member(member) if member in folder.get_member_names() else None


users = {name: {"password": f"password of {name}"} for name in ["owner", "stranger"]}
app = WsgiDAVApp(
    {
        "provider_mapping": {"/": Provider(tempfile.mkdtemp())},
        "simple_dc": {"user_mapping": {"*": users}},
        "http_authenticator": {"domain_controller": None, "accept_digest": False, "default_to_digest": False},
        "verbose": 1,
    }
)
server = wsgi.Server((os.environ["HOST"], int(os.environ["PORT"])), app)
server.start()
