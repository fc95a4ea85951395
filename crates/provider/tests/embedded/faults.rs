use std::path::Path;

use provider::Client;
use provider::embedded::{EmbeddedModel, ModelFile, hash_model_file};
use run::{Bill, FailureKind};
use tokio::sync::watch;

use crate::support::{ask, model, model_path, options, send, text};

#[tokio::test]
async fn a_stopped_call_fails_and_frees_its_place() {
    let Some(model) = model(1) else { return };
    send(&model, &ask("Hi", 1)).await.unwrap();
    let call = model.prepare(&ask("Tell me a very long story.", 1500)).unwrap();
    let (stopper, stop) = watch::channel(false);
    let (sent, next) = tokio::join!(model.send(&call, stop), async {
        stopper.send(true).unwrap();
        // With one place, this answer proves that the stopped call has left it.
        send(&model, &ask("Hi", 2)).await
    });
    let failure = sent.outcome.unwrap_err();
    assert_eq!((failure.kind, failure.bill), (FailureKind::Cancelled, Bill::Nothing));
    assert!(next.is_ok());
}

#[tokio::test]
async fn a_dropped_call_frees_its_place() {
    let Some(model) = model(1) else { return };
    let call = model.prepare(&ask("Tell me a very long story.", 1500)).unwrap();
    let (_keep, stop) = watch::channel(false);
    tokio::select! {
        biased;
        sent = model.send(&call, stop) => panic!("1500 tokens came at once: {:?}", sent.outcome),
        () = tokio::task::yield_now() => {}
    }
    // With one place, this answer proves that the dropped call has left it.
    assert!(send(&model, &ask("Hi", 2)).await.is_ok());
}

#[tokio::test]
async fn a_missing_file_says_how_to_get_it_and_never_hangs() {
    let file = ModelFile::smollm2_135m("/nowhere/model.gguf");
    let model = EmbeddedModel::new(file, options(1));
    for _ in 0..2 {
        let failure = send(&model, &ask("Hi", 1)).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::LocalModel);
        assert!(failure.message.contains("/nowhere/model.gguf"), "{failure}");
        assert!(failure.hint.unwrap().contains("scripts/setup"));
    }
}

#[tokio::test]
async fn broken_files_are_refused_and_a_repaired_one_works() {
    let Some(good) = model_path() else { return };
    let whole = std::fs::read(&good).unwrap();
    let noise: Vec<u8> =
        (0..200_000u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    let mut headed = whole[..8].to_vec();
    headed.extend_from_slice(&noise);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.gguf");
    for broken in
        [&whole[..whole.len() / 2], &whole[..5000], &whole[..3], &noise[..], &headed[..], &[][..]]
    {
        std::fs::write(&path, broken).unwrap();
        let failure = send(&named(&path), &other("Hi")).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::LocalModel, "{failure}");
        assert!(failure.message.contains("damaged"), "{failure}");
    }
    // The same model object recovers once the file is whole.
    std::fs::write(&path, &whole[..5000]).unwrap();
    let file = ModelFile { name: "other".to_owned(), ..ModelFile::smollm2_135m(&path) };
    let model = EmbeddedModel::new(file, options(1));
    assert!(send(&model, &other("Hi")).await.unwrap_err().message.contains("SHA-256"));
    std::fs::write(&path, &whole).unwrap();
    assert!(send(&model, &other("Hi")).await.is_ok());
}

#[tokio::test]
async fn a_call_for_another_file_is_refused() {
    let Some(model) = model(8) else { return };
    let elsewhere = ModelFile {
        sha256: values::ContentHash::of_bytes(b"another"),
        ..ModelFile::smollm2_135m(model_path().unwrap())
    };
    let call = EmbeddedModel::new(elsewhere, options(1)).prepare(&ask("Hi", 1)).unwrap();
    let (_keep, stop) = watch::channel(false);
    let failure = model.send(&call, stop).await.outcome.unwrap_err();
    assert_eq!(failure.kind, FailureKind::InvalidRequest);
}

#[tokio::test]
async fn two_models_can_live_in_one_process() {
    let (Some(one), Some(two)) = (model(1), model(1)) else { return };
    let question = ask("Name a colour.", 4);
    let (left, right) = tokio::join!(text(&one, &question), text(&two, &question));
    assert_eq!(left, right);
}

fn named(path: &Path) -> EmbeddedModel {
    let sha256 = hash_model_file(path).unwrap();
    let file = ModelFile { name: "other".to_owned(), path: path.to_owned(), sha256 };
    EmbeddedModel::new(file, options(1))
}

fn other(question: &str) -> chat::Request {
    chat::Request { model: "embedded/other".parse().unwrap(), ..ask(question, 2) }
}
