//! The least that a client can do: send, read, forget.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, ensure};

/// Makes this many calls, so many at once, and keeps nothing.
pub(crate) fn client(origin: &str, calls: u32, concurrency: usize) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = reqwest::Client::builder()
            .no_proxy()
            .http1_only()
            .tls_backend_preconfigured(no_tls()?)
            .pool_max_idle_per_host(concurrency)
            .build()?;
        let url = format!("{origin}/v1/chat/completions");
        let next = Arc::new(AtomicU32::new(0));
        let mut tasks = tokio::task::JoinSet::<Result<()>>::new();
        for _ in 0..concurrency {
            let (client, url, next) = (client.clone(), url.clone(), Arc::clone(&next));
            tasks.spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= calls {
                        return Ok(());
                    }
                    call(&client, &url, number).await?;
                }
            });
        }
        while let Some(ended) = tasks.join_next().await {
            ended.context("a task of the minimal client")??;
        }
        Ok(())
    })
}

async fn call(client: &reqwest::Client, url: &str, number: u32) -> Result<()> {
    let body = format!(
        "{{\"model\":\"m\",\"messages\":[{{\"role\":\"user\",\"content\":\"set-{number:06}\"}}],\
         \"temperature\":0,\"max_tokens\":16}}"
    );
    let request = client.post(url).header("content-type", "application/json").body(body);
    let response = request.send().await?;
    ensure!(response.status().is_success(), "the server answered {}", response.status());
    let answer = response.bytes().await?;
    ensure!(!answer.is_empty(), "the server answered nothing");
    Ok(())
}

/// The server speaks plain HTTP; the library wants a configuration all the same.
fn no_tls() -> Result<rustls::ClientConfig> {
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    Ok(rustls::ClientConfig::builder_with_provider(ring)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth())
}
