//! The program in a folder without any file of the project.

use crate::fixtures::{BLEED, root, sample};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

fn ichor(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ichor"))
        .current_dir(folder)
        .env_remove("ICHOR_MODEL_DIR")
        .args(args)
        .output()
        .unwrap()
}

#[test]
fn models_are_listed_and_a_slice_is_segmented() {
    let folder = tempfile::tempdir().unwrap();
    let listed = ichor(folder.path(), &["models"]);
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert_eq!(listed.lines().count(), 2, "{listed}");
    std::fs::write(folder.path().join("x.png"), sample(BLEED)).unwrap();
    let args = ["segment", "x.png", "--output", "out", "--model", "unet", "--format", "png,json"];
    let run = ichor(folder.path(), &args);
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let line: Value = serde_json::from_slice(&run.stdout).unwrap();
    // The result must be that of the models in the project's folder.
    let models = root().join("models");
    let named =
        ichor(folder.path(), &[&args[..], &["--models", models.to_str().unwrap()]].concat());
    let named: Value = serde_json::from_slice(&named.stdout).unwrap();
    for part in ["model", "hemorrhage", "lesions"] {
        assert_eq!(line[part], named[part]);
    }
    let missing = ichor(folder.path(), &["models", "--models", "nowhere"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(String::from_utf8(missing.stderr).unwrap().contains("--models"));
}

/// `ichor serve` until the test is over.
struct Server {
    child: Child,
    address: String,
    // Kept open: a server that writes to a closed pipe ends.
    _stdout: BufReader<ChildStdout>,
}

impl Server {
    fn start(folder: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_ichor"))
            .current_dir(folder)
            .env_remove("ICHOR_MODEL_DIR")
            .args(["serve", "--port", "0"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let address = line.trim().rsplit("http://").next().unwrap().to_owned();
        Self { child, address, _stdout: stdout }
    }

    /// Sends a request; returns head and body of the response.
    fn send(&self, request: &str) -> (String, Vec<u8>) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "{request}host: localhost\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
        (
            String::from_utf8(answer[..end].to_vec()).unwrap().to_ascii_lowercase(),
            answer[end + 4..].to_vec(),
        )
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Paths of all files below a folder, with `/` between.
fn files_below(folder: &Path, prefix: &str, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = format!("{prefix}/{}", entry.file_name().to_str().unwrap());
        match entry.path().is_dir() {
            true => files_below(&entry.path(), &name, found),
            false => found.push(name),
        }
    }
}

#[test]
fn every_file_of_the_page_is_in_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let page = root().join("frontend");
    let mut files = Vec::new();
    files_below(&page, "", &mut files);
    assert!(files.len() > 50 && files.iter().any(|file| file == "/js/strings.js"));
    for file in files {
        let (head, body) = server.send(&format!("GET {file} HTTP/1.1\r\n"));
        assert!(head.starts_with("http/1.1 200"), "{file}: {head}");
        assert_eq!(body, std::fs::read(page.join(&file[1..])).unwrap(), "{file}");
    }
}

#[test]
fn the_files_of_the_models_are_served_for_a_page_that_runs_them() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    for file in ["unet/model.json", "unet/model.onnx", "deeplabv3/MODEL_CARD.md"] {
        let (head, body) = server.send(&format!("GET /models/{file} HTTP/1.1\r\n"));
        assert!(head.starts_with("http/1.1 200") && head.contains("etag: "), "{file}: {head}");
        assert_eq!(body, std::fs::read(root().join("models").join(file)).unwrap(), "{file}");
    }
    for file in ["unet/failures.png", "other/model.json", "unet/..%2fdeeplabv3%2fmodel.json"] {
        let (head, _) = server.send(&format!("GET /models/{file} HTTP/1.1\r\n"));
        assert!(head.starts_with("http/1.1 404"), "{file}: {head}");
    }
}

#[test]
fn the_page_is_served_with_its_headers() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let (head, body) = server.send("GET / HTTP/1.1\r\n");
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert_eq!(body, std::fs::read(root().join("frontend/index.html")).unwrap());
    for header in [
        "content-type: text/html",
        "content-security-policy: default-src 'none'; script-src 'self' 'wasm-unsafe-eval';",
        "x-content-type-options: nosniff",
        "referrer-policy: no-referrer",
        "cache-control: no-cache",
        "etag: ",
    ] {
        assert!(head.contains(header), "{header} is missing: {head}");
    }
    let tag = head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap();
    let (again, _) = server.send(&format!("GET / HTTP/1.1\r\nif-none-match: {tag}\r\n"));
    assert!(again.starts_with("http/1.1 304"), "{again}");
    let script = std::fs::read(root().join("frontend/js/main.js")).unwrap();
    let (packed, body) = server.send("GET /js/main.js HTTP/1.1\r\naccept-encoding: gzip\r\n");
    assert!(
        packed.contains("content-encoding: gzip") && packed.contains("vary: accept-encoding"),
        "{packed}"
    );
    assert!(
        packed.contains("content-type: text/javascript") && body.len() < script.len(),
        "{packed}"
    );
    assert!(server.send("GET /nothing HTTP/1.1\r\n").0.starts_with("http/1.1 404"));
    assert!(server.send("POST / HTTP/1.1\r\ncontent-length: 0\r\n").0.starts_with("http/1.1 405"));
    let (head, models) = server.send("GET /v1/models HTTP/1.1\r\n");
    assert!(head.starts_with("http/1.1 200") && models.starts_with(b"{"), "{head}");
}
