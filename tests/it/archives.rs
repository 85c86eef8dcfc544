//! Gzip streams and zip archives for the tests.

use crate::fixtures::sample;
use std::io::Write;

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

/// A deflated archive of named files.
pub(crate) fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        let options = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Deflated);
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// The synthetic slices of these names as a series: 0.png, 1.png, ...
pub(crate) fn zip_of(samples: &[&str]) -> Vec<u8> {
    let named: Vec<(String, Vec<u8>)> =
        samples.iter().enumerate().map(|(at, name)| (format!("{at}.png"), sample(name))).collect();
    zip(&named.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect::<Vec<_>>())
}
