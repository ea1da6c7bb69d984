//! What a request carries, as JSON, as a form, in parts or as it is.

use authz_pin_suite::sendable::of_base64;
use authz_pin_suite::suite::{FileSpec, PartContent, RawSpec, RequestSpec};
use authz_pin_suite::template::{Scope, TemplateError, Templates};
use reqwest::RequestBuilder;
use reqwest::header::CONTENT_TYPE;
use reqwest::multipart::{Form, Part};
use serde_json::Value as Json;

use super::call::pairs;

/// A rendered body. It may hold credentials, so it cannot be printed.
#[derive(Clone, Default)]
pub(crate) enum Payload {
    #[default]
    Nothing,
    Json(Json),
    /// Name and value, as a browser sends a form.
    Form(Vec<(String, String)>),
    Parts(Vec<NamedPart>),
    Raw(Content),
}

/// One part of a body in parts.
#[derive(Clone)]
pub(crate) struct NamedPart {
    pub(crate) name: String,
    pub(crate) file: Option<String>,
    pub(crate) content: Content,
}

/// Bytes and what they are said to be.
#[derive(Clone)]
pub(crate) struct Content {
    pub(crate) media_type: Option<String>,
    pub(crate) bytes: Vec<u8>,
}

impl Payload {
    pub(super) fn render(
        templates: &Templates,
        spec: &RequestSpec,
        scope: &Scope,
    ) -> Result<Self, TemplateError> {
        if let Some(json) = &spec.json {
            return Ok(Self::Json(templates.render(json, scope)?));
        }
        if let Some(form) = &spec.form {
            return Ok(Self::Form(pairs(&templates.render(form, scope)?)));
        }
        if let Some(parts) = &spec.multipart {
            let part = |(name, part): (&String, _)| NamedPart::render(templates, name, part, scope);
            return Ok(Self::Parts(
                parts.iter().map(part).collect::<Result<_, _>>()?,
            ));
        }
        match &spec.raw {
            Some(raw) => Ok(Self::Raw(Content::raw(templates, raw, scope)?)),
            None => Ok(Self::Nothing),
        }
    }

    /// Puts the body into a request. A media type that the suite gives among the headers is left alone.
    pub(super) fn attach(&self, request: RequestBuilder, has_type: bool) -> RequestBuilder {
        match self {
            Self::Nothing => request,
            Self::Json(json) => request.json(json),
            Self::Form(pairs) => request.form(pairs),
            Self::Parts(parts) => {
                let form = parts.iter().fold(Form::new(), |form, part| {
                    form.part(part.name.clone(), part.to_part())
                });
                request.multipart(form)
            }
            Self::Raw(content) => {
                let request = request.body(content.bytes.clone());
                match &content.media_type {
                    Some(media_type) if !has_type => request.header(CONTENT_TYPE, media_type),
                    _ => request,
                }
            }
        }
    }
}

impl NamedPart {
    fn render(
        templates: &Templates,
        name: &str,
        part: &PartContent,
        scope: &Scope,
    ) -> Result<Self, TemplateError> {
        let (file, content) = match part {
            PartContent::Text(text) => {
                let content = Content {
                    media_type: None,
                    bytes: templates.render_text(text, scope)?.into_bytes(),
                };
                (None, content)
            }
            PartContent::File(spec) => {
                let name = spec.file.as_ref();
                let name = name.map(|name| templates.render_text(name, scope));
                (name.transpose()?, Content::file(templates, spec, scope)?)
            }
        };
        let name = name.to_owned();
        Ok(Self {
            name,
            file,
            content,
        })
    }

    fn to_part(&self) -> Part {
        let part = || {
            let part = Part::bytes(self.content.bytes.clone());
            match &self.file {
                Some(name) => part.file_name(name.clone()),
                None => part,
            }
        };
        let Some(media_type) = &self.content.media_type else {
            return part();
        };
        // The suite's media types were checked when it was read.
        part().mime_str(media_type).unwrap_or_else(|_| part())
    }
}

impl Content {
    fn file(templates: &Templates, spec: &FileSpec, scope: &Scope) -> Result<Self, TemplateError> {
        let bytes = bytes(templates, spec.text.as_ref(), spec.base64.as_ref(), scope)?;
        Ok(Self {
            media_type: spec.media_type.clone(),
            bytes,
        })
    }

    fn raw(templates: &Templates, spec: &RawSpec, scope: &Scope) -> Result<Self, TemplateError> {
        let bytes = bytes(templates, spec.text.as_ref(), spec.base64.as_ref(), scope)?;
        Ok(Self {
            media_type: Some(spec.media_type.clone()),
            bytes,
        })
    }

    /// The content, where it is a text.
    pub(crate) fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes).ok()
    }
}

/// The bytes that a text or its Base64 form stands for.
fn bytes(
    templates: &Templates,
    text: Option<&String>,
    base64: Option<&String>,
    scope: &Scope,
) -> Result<Vec<u8>, TemplateError> {
    if let Some(text) = text {
        return Ok(templates.render_text(text, scope)?.into_bytes());
    }
    let Some(template) = base64 else {
        return Ok(Vec::new());
    };
    let encoded = templates.render_text(template, scope)?;
    of_base64(&encoded).map_err(|reason| {
        let reason = format!("what it gives is not Base64: {reason}");
        TemplateError::because(template, reason)
    })
}
