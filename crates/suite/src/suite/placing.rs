//! What a request or a credential does not have of itself: where it stands in the files, and what all of the suite carry.

use std::sync::Arc;

use super::credentials::CommandSpec;
use super::exchange::{Credential, OfAll, RequestSpec, StepSpec};
use super::model::{EndpointFile, Kind, ServiceSpec, SuiteFile, WorldFile};
use crate::place::Parts;
use crate::yaml::{Document, NodePath};

impl OfAll {
    /// What `suite.yaml` says.
    pub(super) fn read(service: &ServiceSpec, document: &Document) -> Self {
        Self {
            headers: service.headers.clone(),
            place: Parts::of(document, &NodePath::from(["service"]), &["headers"]),
        }
    }
}

/// Puts it in, with paths within one document.
pub(super) struct Placing<'d> {
    document: &'d Document,
    of_all: Arc<OfAll>,
}

impl<'d> Placing<'d> {
    pub(super) fn new(document: &'d Document, of_all: &Arc<OfAll>) -> Self {
        let of_all = Arc::clone(of_all);
        Self { document, of_all }
    }

    pub(super) fn suite(&self, file: &mut SuiteFile) {
        let Some(reset) = &mut file.service.reset else {
            return;
        };
        let path = NodePath::from(["service", "reset"]);
        if let Some(request) = &mut reset.request {
            self.request(&path.join("request"), request);
        }
        self.maybe(&path.join("auth"), reset.auth.as_mut());
    }

    pub(super) fn world(&self, file: &mut WorldFile) {
        for (name, kind) in &mut file.kinds {
            self.kind(&NodePath::from(["kinds", name]), kind);
        }
        for (name, actor) in &mut file.actors {
            let path = NodePath::from(["actors", name, "auth"]);
            self.maybe(&path, actor.auth.as_mut());
        }
    }

    pub(super) fn endpoint(&self, file: &mut EndpointFile) {
        self.request(&NodePath::from(["request"]), &mut file.request);
        self.steps(&NodePath::from(["setup"]), &mut file.setup);
        self.steps(&NodePath::from(["teardown"]), &mut file.teardown);
        for (name, probe) in &mut file.probes {
            let path = NodePath::from(["probes", name]);
            self.request(&path.join("request"), &mut probe.request);
            self.credential(&path.join("auth"), &mut probe.auth);
        }
    }

    fn kind(&self, path: &NodePath, kind: &mut Kind) {
        self.steps(&path.join("setup"), &mut kind.setup);
        self.steps(&path.join("teardown"), &mut kind.teardown);
    }

    fn steps(&self, path: &NodePath, steps: &mut [StepSpec]) {
        for (index, step) in steps.iter_mut().enumerate() {
            let path = path.join(index);
            if let Some(request) = &mut step.request {
                self.request(&path.join("request"), request);
            }
            self.maybe(&path.join("auth"), step.auth.as_mut());
            self.command(&path.join("command"), step.command.as_mut());
        }
    }

    /// What a program prints when it fails is about the place where the program stands.
    fn command(&self, path: &NodePath, command: Option<&mut CommandSpec>) {
        let position = self.document.position(path);
        if let (Some(command), Some(position)) = (command, position) {
            let file = self.document.file().display();
            command.place = format!("{file}:{}", position.line);
        }
    }

    fn request(&self, path: &NodePath, request: &mut RequestSpec) {
        request.place = Parts::of(self.document, path, &["path", "headers"]);
        request.of_all = Arc::clone(&self.of_all);
    }

    fn maybe(&self, path: &NodePath, credential: Option<&mut Credential>) {
        if let Some(credential) = credential {
            self.credential(path, credential);
        }
    }

    fn credential(&self, path: &NodePath, credential: &mut Credential) {
        let parts = [
            "bearer", "basic", "digest", "cookies", "headers", "login", "oauth2", "command", "jwt",
        ];
        credential.place = Parts::of(self.document, path, &parts);
        self.command(&path.join("command"), credential.command.as_mut());
        if let Some(login) = &mut credential.login {
            let path = path.join("login");
            self.request(&path.join("request"), &mut login.request);
            self.maybe(&path.join("auth"), login.auth.as_mut());
        }
    }
}
