//! Networks that are built for their first slice.

use crate::fixtures::{BLEED, json, models, root, sample, send_to};
use axum::body::Body;
use axum::http::Request;
use ichor::decode::{Limits, decode_slice};
use ichor::http::{Service, ServiceLimits};
use ichor::segmenter::{Models, Segmenter};
use ichor::storage::{ModelFiles, read_model_dir};

fn first_model() -> ModelFiles {
    read_model_dir(&root().join("models")).unwrap().swap_remove(0)
}

#[test]
fn a_deferred_network_gives_the_logits_of_a_loaded_one() {
    let slice = decode_slice(&sample(BLEED), &Limits::default()).unwrap();
    let deferred = Segmenter::deferred(first_model()).unwrap();
    let models = models();
    let loaded = models.get(Some(&deferred.spec().name)).unwrap();
    let answers = [&deferred, loaded, &deferred].map(|model| model.logits(&slice).unwrap().1);
    assert!(answers.iter().all(|a| a.mask == answers[0].mask && a.slice == answers[0].slice));
}

#[tokio::test]
async fn a_service_is_ready_when_every_network_is_built() {
    let files = || read_model_dir(&root().join("models")).unwrap();
    let ready = || Request::get("/v1/health/ready").body(Body::empty()).unwrap();
    let models = std::sync::Arc::new(Models::load_default(files(), Some("unet")).unwrap());
    let built = || models.iter().filter(|model| model.engine().is_some()).count();
    assert_eq!((models.default_model().spec().name.as_str(), built()), ("unet", 1));
    let service = Service::new(models.clone(), ServiceLimits::local());
    let (status, response) = send_to(service, ready()).await;
    assert_eq!((status.as_u16(), built()), (200, files().len()));
    assert_eq!(json(response).await["models"].as_array().unwrap().len(), files().len());

    let damage = |files: ModelFiles| match files.spec.name.as_str() {
        "unet" => ModelFiles { onnx: b"no network".to_vec().into(), ..files },
        _ => files,
    };
    let damaged = files().into_iter().map(damage).collect();
    let service =
        Service::new(Models::load_default(damaged, None).unwrap(), ServiceLimits::local());
    let (status, _) = send_to(service, ready()).await;
    assert!(status.is_server_error(), "{status}");
}

#[test]
fn a_deferred_network_that_cannot_be_built_fails_every_time() {
    let slice = decode_slice(&sample(BLEED), &Limits::default()).unwrap();
    let damaged = ModelFiles { onnx: b"no network".to_vec().into(), ..first_model() };
    let name = damaged.spec.name.clone();
    let deferred = Segmenter::deferred(damaged).unwrap();
    for _ in 0..2 {
        let message = deferred.logits(&slice).err().unwrap().to_string();
        assert!(message.contains(&name), "{message}");
    }
}
