//! Networks that are built when a slice first asks for them.

use crate::fixtures::{BLEED, models, root, sample};
use ichor::decode::{Limits, decode_slice};
use ichor::segmenter::Segmenter;
use ichor::storage::{ModelFiles, read_model_dir};

fn first_model() -> ModelFiles {
    read_model_dir(&root().join("models")).unwrap().swap_remove(0)
}

#[test]
fn a_deferred_network_answers_as_a_loaded_one() {
    let slice = decode_slice(&sample(BLEED), &Limits::default()).unwrap();
    let deferred = Segmenter::deferred(first_model()).unwrap();
    let models = models();
    let loaded = models.get(Some(&deferred.spec().name)).unwrap();
    let answers = [&deferred, loaded, &deferred].map(|model| model.logits(&slice).unwrap().1);
    assert!(answers.iter().all(|a| a.mask == answers[0].mask && a.slice == answers[0].slice));
}

#[test]
fn a_deferred_network_that_cannot_be_built_says_so_every_time() {
    let slice = decode_slice(&sample(BLEED), &Limits::default()).unwrap();
    let damaged = ModelFiles { onnx: b"no network".to_vec(), ..first_model() };
    let name = damaged.spec.name.clone();
    let deferred = Segmenter::deferred(damaged).unwrap();
    for _ in 0..2 {
        let said = deferred.logits(&slice).err().unwrap().to_string();
        assert!(said.contains(&name), "{said}");
    }
}
