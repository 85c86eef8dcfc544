// A client of Ichor for iOS and macOS: one slice at once, or a series by upload and job.
// For research and teaching only, never for diagnosis.
//
//     let client = IchorClient(url: URL(string: "http://127.0.0.1:8080")!)
//     let report = try await client.segment(slice: png)

import Foundation

/// Schema `Report`.
struct Report: Decodable {
    /// Schema `Report.hemorrhage`.
    struct Hemorrhage: Decodable {
        /// nil where the input does not allow an answer; a warning has the reason.
        let detected: Bool?
        let probability: Double?
        let threshold: Double
    }
    let hemorrhage: Hemorrhage
    let lesions: [Lesion]
    let overlay: Picture?
    let warnings: [Warning]
    let disclaimer: String
}

/// Schema `Lesion`.
struct Lesion: Decodable {
    let id: Int
    let area_px: Int
    /// nil where the file gives no pixel spacing.
    let area_mm2: Double?
    let mean_probability: Double
}

/// Schema `Picture`.
struct Picture: Decodable {
    let media_type: String
    let base64: String
}

/// Schema `Report.warnings[]`.
struct Warning: Decodable {
    let code: String
    let message: String
}

/// Schema `SeriesReport`.
struct SeriesReport: Decodable {
    /// Schema `SeriesReport.hemorrhage`.
    struct Hemorrhage: Decodable {
        let detected: Bool?
    }
    /// Schema `Volumetry`.
    struct Volumetry: Decodable {
        /// nil where the positions of the slices are not known.
        let total_volume_ml: Double?
        let key_slice: Int?
    }
    let hemorrhage: Hemorrhage
    let volume: Volumetry
    let warnings: [Warning]
    let disclaimer: String
}

/// Schema `Upload`.
struct Upload: Decodable {
    /// Schema `Upload.upload`.
    struct Put: Decodable {
        let url: String
        let headers: [String: String]
    }
    let job_url: String
    let upload: Put
}

/// Schema `Job`.
struct Job: Decodable {
    /// Schema `Job.progress`.
    struct Progress: Decodable {
        let done: Int
        let total: Int
    }
    let state: String
    let progress: Progress?
    let result_url: String?
    let error: Problem?
}

/// Schema `Problem`.
struct Problem: Decodable, Error {
    let code: String
    let detail: String
    let status: Int
}

struct IchorClient {
    let url: URL
    var session = URLSession.shared

    /// The report of one slice, with its overlay as a PNG.
    func segment(slice: Data) async throws -> Report {
        var post = makeRequest("POST", "/v1/segment?include=overlay")
        post.httpBody = slice
        return try await decode(Report.self, from: send(post).0)
    }

    /// The report of a series: a zip, a NIfTI volume or a multi-frame DICOM file.
    func segment(series: URL, progress: (Job.Progress) -> Void = { _ in }) async throws -> SeriesReport {
        let placed = try await order(series)
        var put = makeRequest("PUT", placed.upload.url)
        // The headers belong to the signature of the address: send them unchanged.
        placed.upload.headers.forEach { put.setValue($1, forHTTPHeaderField: $0) }
        let (_, response) = try await session.upload(for: put, fromFile: series)
        guard (response as? HTTPURLResponse)?.statusCode == 200 else { throw URLError(.badServerResponse) }

        while true {
            let (body, response) = try await send(makeRequest("GET", placed.job_url))
            let job = try decode(Job.self, from: body)
            if let problem = job.error { throw problem }
            if let result = job.result_url {
                return try await decode(SeriesReport.self, from: send(makeRequest("GET", result)).0)
            }
            // A job that is queued or running answers 202; one that has expired does not.
            guard response.statusCode == 202 else { throw URLError(.resourceUnavailable) }
            if let done = job.progress { progress(done) }
            let wait = response.value(forHTTPHeaderField: "retry-after").flatMap(Double.init) ?? 1
            try await Task.sleep(nanoseconds: UInt64(wait * 1_000_000_000))
        }
    }

    private func order(_ series: URL) async throws -> Upload {
        let size = try series.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0
        let fields: [String: Any] = ["content_type": "application/zip", "size_bytes": size]
        var post = makeRequest("POST", "/v1/uploads")
        post.setValue("application/json", forHTTPHeaderField: "content-type")
        post.httpBody = try JSONSerialization.data(withJSONObject: fields)
        return try await decode(Upload.self, from: send(post).0)
    }

    /// Addresses of jobs are relative to the API, or lead to the store.
    private func makeRequest(_ method: String, _ address: String) -> URLRequest {
        var request = URLRequest(url: URL(string: address, relativeTo: url)!, timeoutInterval: 120)
        request.httpMethod = method
        return request
    }

    /// Body and response; throws the problem document of an error.
    private func send(_ request: URLRequest) async throws -> (Data, HTTPURLResponse) {
        let (body, response) = try await session.data(for: request)
        guard let http = response as? HTTPURLResponse else { throw URLError(.badServerResponse) }
        if http.statusCode >= 400 { throw try decode(Problem.self, from: body) }
        return (body, http)
    }

    private func decode<T: Decodable>(_ type: T.Type, from body: Data) throws -> T {
        try JSONDecoder().decode(type, from: body)
    }
}
