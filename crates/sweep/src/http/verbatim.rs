//! Requests whose path the type of a URL would change, written by hyper on a connection of the client.
//!
//! The client connects as for any other request, with the same certificates, and hands the connection over.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use authz_pin_record::fault::Fault;
use futures::future::BoxFuture;
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, Entry, HOST, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use hyper::rt::{Read, Write};
use hyper::{Uri, Version};
use reqwest::{Client, Request, Response};
use tower_layer::{LayerFn, layer_fn};
use tower_service::Service;
use url::{Position, Url};

use super::NAME;
use super::answer::{self, Answer};
use crate::credential::host;

type BoxError = Box<dyn Error + Send + Sync>;

trait Stream: Read + Write + Unpin + Send {}
impl<S: Read + Write + Unpin + Send> Stream for S {}

type Slot = Arc<Mutex<Option<Box<dyn Stream>>>>;

tokio::task_local! {
    /// Where the connection goes that this task asks for; a task that sends a request asks for none.
    static ASKED: Slot;
}

/// What makes connections, and hands over those that are asked for.
#[derive(Clone)]
pub(super) struct HandsOver<S>(S);

/// Lets a client hand over its connections. It must keep none, so that each is made by the task that asks.
pub(super) fn hands_over<S>() -> LayerFn<fn(S) -> HandsOver<S>> {
    layer_fn(HandsOver)
}

#[derive(Debug, thiserror::Error)]
#[error("the connection was handed over")]
struct HandedOver;

impl<S, To> Service<To> for HandsOver<S>
where
    S: Service<To, Error = BoxError>,
    S::Response: Stream + 'static,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<S::Response, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, to: To) -> Self::Future {
        let connecting = self.0.call(to);
        Box::pin(async move {
            let connection = connecting.await?;
            let Ok(slot) = ASKED.try_with(Slot::clone) else {
                return Ok(connection);
            };
            let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
            *slot = Some(Box::new(connection));
            Err(HandedOver.into())
        })
    }
}

/// A connection to the host of a URL; the client's error where there is none.
async fn connection(client: &Client, url: &Url) -> Result<Box<dyn Stream>, Option<reqwest::Error>> {
    let slot = Slot::default();
    let root = url[..Position::BeforePath].to_owned();
    let asking = ASKED.scope(Arc::clone(&slot), client.get(root).send());
    let asked = Box::pin(asking).await;
    let handed = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
    handed.ok_or(asked.err())
}

/// Sends a request with this path and query, and reads its answer: a stream that need not end for so long.
pub(super) async fn send(
    client: &Client,
    request: Request,
    (line, patience): (&Uri, Duration),
) -> Result<Result<Answer, Fault>, reqwest::Error> {
    let url = request.url().clone();
    let stream = match connection(client, &url).await {
        Ok(stream) => stream,
        Err(Some(error)) => return Err(error),
        Err(None) => return Ok(Err(Fault::Closed)),
    };
    let mut request = hyper::Request::<reqwest::Body>::try_from(request)?;
    *request.uri_mut() = line.clone();
    *request.version_mut() = Version::HTTP_11;
    add_headers(request.headers_mut(), &url);
    let sent = async {
        let (mut sender, connection) = http1::handshake(stream).await?;
        // Ends by itself, when the answer was read or nobody reads it any more.
        tokio::spawn(connection);
        sender.send_request(request).await
    };
    let response = match sent.await {
        Ok(response) => Response::from(response.map(reqwest::Body::wrap)),
        Err(error) if error.is_parse() => return Ok(Err(Fault::NotHttp)),
        Err(_) => return Ok(Err(Fault::Closed)),
    };
    let answer = answer::read(response, patience).await;
    Ok(answer.map(|answer| Answer {
        url: Some(url),
        ..answer
    }))
}

/// The headers that the client adds to each request.
fn add_headers(headers: &mut HeaderMap, url: &Url) {
    let host = host(url);
    let added: [(HeaderName, Option<HeaderValue>); 3] = [
        (HOST, HeaderValue::try_from(host).ok()),
        (ACCEPT, Some(HeaderValue::from_static("*/*"))),
        (USER_AGENT, Some(HeaderValue::from_static(NAME))),
    ];
    for (name, value) in added {
        if let (Entry::Vacant(vacant), Some(value)) = (headers.entry(name), value) {
            vacant.insert(value);
        }
    }
}
