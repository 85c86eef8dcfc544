use super::*;
use ichor_core::segmenter::NoObserver;
use serde_json::Value;
use std::path::PathBuf;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> Vec<u8> {
    std::fs::read(root().join(path)).unwrap()
}

const BLEED: &str = "frontend/samples/090_9y_intraparenchymal_110kV_220mA.png";

fn with_model() -> Session {
    with_model_named("unet")
}

fn with_model_named(name: &str) -> Session {
    let mut session = Session::default();
    let files = ["model.json", "model.onnx", "MODEL_CARD.md"];
    let files = files.map(|file| read(&format!("models/{name}/{file}")));
    let request = format!(r#"{{"operation":"load_model","name":"{name}"}}"#);
    let loaded = call(&mut session, &request, files.to_vec()).unwrap();
    assert_eq!(
        (&loaded["model"]["name"], &loaded["engine"]["name"]),
        (&name.into(), &"blocked".into())
    );
    session
}

fn call(session: &mut Session, request: &str, buffers: Vec<Vec<u8>>) -> Result<Value, Problem> {
    let reply = session.call(request.as_bytes(), buffers, &NoObserver)?;
    Ok(serde_json::from_slice(&reply.json).unwrap())
}

#[test]
fn a_report_equals_that_of_the_library_but_for_its_timings() {
    let bytes = read(BLEED);
    let request = r#"{"operation":"segment","model":"unet","include":{"mask":true,"overlay":true,
        "probabilities":true,"samples":false,"every_slice":false}}"#;
    let mut actual = call(&mut with_model(), request, vec![bytes.clone()]).unwrap();

    let files = ichor_core::storage::read_model_dir(&root().join("models/unet")).unwrap().remove(0);
    let model = Segmenter::load(files, &NoObserver).unwrap();
    let include = Include { probabilities: true, ..Include::default() };
    let request = Request::default().with(include);
    let slices = open(Input::Bytes(&bytes), &Limits::default()).unwrap();
    let analysis = model.segment(slices, &request, &NoObserver).unwrap();
    let report = write_report(&model, analysis, include, &NoObserver).unwrap();
    let mut expected: Value =
        serde_json::from_slice(&serde_json::to_vec(&report).unwrap()).unwrap();
    for report in [&mut actual, &mut expected] {
        report["timings_ms"] = Value::Null;
    }
    assert_eq!(actual, expected);
    assert!(actual["probabilities"]["base64"].is_string());
}

#[test]
fn the_last_analysis_is_written_in_every_format() {
    let head = [0, 1, 2].map(read_head_slice);
    let mut session = with_model();
    let report = call(&mut session, r#"{"operation":"segment"}"#, head.to_vec()).unwrap();
    assert_eq!(report["series"]["slices"], 3);
    let mut export = |format: &str| {
        let request = format!(r#"{{"operation":"export","format":"{format}","created_ms":0}}"#);
        session.call(request.as_bytes(), Vec::new(), &NoObserver).unwrap().file.unwrap()
    };
    assert_eq!(export("nifti")[..2], [0x1F, 0x8B]);
    assert!(export("lesion_table").starts_with(b"lesion,volume_ml"));
    assert!(export("region_table").starts_with(b"slice,source"));
    assert_eq!(&export("dicom_seg")[128..132], b"DICM");
    assert_eq!(&export("dicom_sr")[128..132], b"DICM");
    let html = String::from_utf8(export("report")).unwrap();
    assert!(html.contains("<html lang=\"en\">") && html.contains("1970-01-01 00:00 UTC"));
    // A picture without its samples would be black, which compresses to almost nothing.
    assert!(html.len() > 10_000, "{} bytes", html.len());
    let german = r#"{"operation":"export","format":"report","created_ms":0,"language":"de"}"#;
    let german = session.call(german.as_bytes(), Vec::new(), &NoObserver).unwrap().file.unwrap();
    assert!(String::from_utf8(german).unwrap().contains("<html lang=\"de\">"));
}

#[test]
fn slices_that_another_session_segments_give_the_same_report() {
    let head = [0, 1, 2].map(read_head_slice);
    let (mut first, mut second) = (with_model(), with_model());
    let segment = r#"{"operation":"segment","include":{"mask":true,"overlay":false,
        "probabilities":true,"samples":false,"every_slice":true}}"#;
    let mut expected = call(&mut first, segment, head.to_vec()).unwrap();

    let open = segment.replace(r#""segment""#, r#""open""#);
    let facts = call(&mut first, &open, head.to_vec()).unwrap();
    assert_eq!((&facts["slices"], &facts["is_single_slice"]), (&3.into(), &false.into()));
    let early = call(&mut first, r#"{"operation":"close"}"#, Vec::new()).unwrap_err();
    assert!(early.detail.contains("not read out"), "{}", early.detail);
    call(&mut first, &open, head.to_vec()).unwrap();
    for slice in [2, 0, 1] {
        let request = format!(r#"{{"operation":"prepare","slice":{slice}}}"#);
        let tensor = first.call(request.as_bytes(), Vec::new(), &NoObserver).unwrap().file.unwrap();
        let request = r#"{"operation":"infer","model":"unet"}"#;
        let logits = second.call(request.as_bytes(), vec![tensor], &NoObserver).unwrap().file;
        let request = format!(r#"{{"operation":"read_out","slice":{slice},"inference_ms":1}}"#);
        let report = call(&mut first, &request, vec![logits.unwrap()]).unwrap();
        assert_eq!(report["slice"]["index"], slice);
        assert!(report["slice"]["probabilities"]["base64"].is_string());
        assert_eq!(report["image"]["modality"], "CT");
    }
    let close = segment.replace(r#""segment""#, r#""close""#);
    let mut actual = call(&mut first, &close, Vec::new()).unwrap();
    for report in [&mut actual, &mut expected] {
        report["timings_ms"] = Value::Null;
    }
    assert_eq!(actual, expected);
    let export = r#"{"operation":"export","format":"dicom_seg","created_ms":0}"#;
    assert!(first.call(export.as_bytes(), Vec::new(), &NoObserver).unwrap().file.is_some());
}

#[test]
fn the_steps_of_one_slice_measure_its_lesions_as_one_call_does() {
    let mut session = with_model_named("deeplabv3");
    let mut expected = call(&mut session, r#"{"operation":"segment"}"#, vec![read(BLEED)]).unwrap();
    call(&mut session, r#"{"operation":"open"}"#, vec![read(BLEED)]).unwrap();
    let mut run = |request: &str, buffers| {
        session.call(request.as_bytes(), buffers, &NoObserver).unwrap().file
    };
    let tensor = run(r#"{"operation":"prepare","slice":0}"#, Vec::new());
    let infer = r#"{"operation":"infer","model":"deeplabv3"}"#;
    let logits = run(infer, tensor.into_iter().collect());
    run(r#"{"operation":"read_out","slice":0}"#, logits.into_iter().collect());
    let mut actual = call(&mut session, r#"{"operation":"close"}"#, Vec::new()).unwrap();
    assert!(expected["lesions"][0]["type"].is_object());
    for report in [&mut actual, &mut expected] {
        report["timings_ms"] = Value::Null;
    }
    assert_eq!(actual, expected);
}

/// Slice `index` of the head in tests/data/dicom/head-ge.
fn read_head_slice(index: usize) -> Vec<u8> {
    let folder = root().join("tests/data/dicom/head-ge");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "dcm"));
    files.sort();
    std::fs::read(&files[index]).unwrap()
}

#[test]
fn problems_have_the_codes_of_the_api_and_leave_the_session_usable() {
    let mut session = with_model();
    for (request, buffers, code) in [
        ("{", Vec::new(), "invalid_parameter"),
        (r#"{"operation":"dream"}"#, Vec::new(), "invalid_parameter"),
        (r#"{"operation":"segment","model":"other"}"#, vec![vec![1]], "model_not_found"),
        (r#"{"operation":"segment"}"#, Vec::new(), "empty_body"),
        (r#"{"operation":"segment"}"#, vec![b"GIF89a".to_vec()], "unsupported_media_type"),
        (r#"{"operation":"segment"}"#, vec![read(BLEED)[..900].to_vec()], "undecodable_image"),
        (
            r#"{"operation":"segment","request":{"threshold":2}}"#,
            vec![read(BLEED)],
            "invalid_parameter",
        ),
        (r#"{"operation":"load_model","name":"unet"}"#, Vec::new(), "invalid_parameter"),
        (r#"{"operation":"prepare","slice":0}"#, Vec::new(), "invalid_parameter"),
        (r#"{"operation":"infer","model":"unet"}"#, vec![vec![0; 8]], "invalid_parameter"),
        (
            r#"{"operation":"export","format":"nifti","created_ms":0}"#,
            Vec::new(),
            "unprocessable_image",
        ),
    ] {
        let problem = call(&mut session, request, buffers).unwrap_err();
        assert_eq!(problem.code, code, "{request}: {}", problem.detail);
        assert!(problem.detail.len() > 20, "{}", problem.detail);
    }
    assert!(call(&mut session, r#"{"operation":"segment"}"#, vec![read(BLEED)]).is_ok());
}

#[test]
fn a_network_that_differs_from_its_checksum_is_refused() {
    let mut files = ["model.json", "model.onnx", "MODEL_CARD.md"]
        .map(|file| read(&format!("models/unet/{file}")));
    *files[1].last_mut().unwrap() ^= 1;
    let request = r#"{"operation":"load_model","name":"unet"}"#;
    let problem = call(&mut Session::default(), request, files.to_vec()).unwrap_err();
    assert!(problem.detail.contains("checksum"), "{}", problem.detail);
}
