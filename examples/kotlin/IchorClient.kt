// A client of Ichor for Android: one slice at once, or a series by upload and job. It blocks: call it on a background
// thread. For research and teaching only, never for diagnosis.
//
//     val report = IchorClient("http://10.0.2.2:8080").segmentSlice(png)
//
// org.json is a part of Android; elsewhere it is the artifact org.json:json.

import java.io.File
import java.net.HttpURLConnection
import java.net.URL
import org.json.JSONArray
import org.json.JSONObject

/** Schema `Report`. */
class Report(json: JSONObject) {
    val hemorrhage = Hemorrhage(json.getJSONObject("hemorrhage"))
    val lesions = json.getJSONArray("lesions").objects().map { Lesion(it) }
    val warnings = json.getJSONArray("warnings").objects().map { Warning(it) }
    val disclaimer: String = json.getString("disclaimer")
}

/** Schema `Report.hemorrhage`. */
class Hemorrhage(json: JSONObject) {
    /** null where the input does not allow an answer; a warning has the reason. */
    val detected: Boolean? = if (json.isNull("detected")) null else json.getBoolean("detected")
    val probability: Double? = if (json.isNull("probability")) null else json.getDouble("probability")
}

/** Schema `Lesion`. */
class Lesion(json: JSONObject) {
    val id: Int = json.getInt("id")
    val areaPx: Int = json.getInt("area_px")
    /** null where the file gives no pixel spacing. */
    val areaMm2: Double? = if (json.isNull("area_mm2")) null else json.getDouble("area_mm2")
}

/** Schema `Report.warnings[]`. */
class Warning(json: JSONObject) {
    val code: String = json.getString("code")
    val message: String = json.getString("message")
}

/** Schema `SeriesReport`. */
class SeriesReport(json: JSONObject) {
    val volume = Volumetry(json.getJSONObject("volume"))
    val warnings = json.getJSONArray("warnings").objects().map { Warning(it) }
    val disclaimer: String = json.getString("disclaimer")
}

/** Schema `Volumetry`. */
class Volumetry(json: JSONObject) {
    /** null where the positions of the slices are not known. */
    val totalVolumeMl: Double? = if (json.isNull("total_volume_ml")) null else json.getDouble("total_volume_ml")
}

/** Schema `Upload`. */
class Upload(json: JSONObject) {
    val jobUrl: String = json.getString("job_url")
    val put = Put(json.getJSONObject("upload"))
}

/** Schema `Upload.upload`. */
class Put(json: JSONObject) {
    val url: String = json.getString("url")
    val headers: JSONObject = json.getJSONObject("headers")
}

/** Schema `Job`. */
class Job(json: JSONObject) {
    val state: String = json.getString("state")
    val resultUrl: String? = if (json.isNull("result_url")) null else json.getString("result_url")
    val error: Problem? = if (json.isNull("error")) null else Problem(json.getJSONObject("error"))
}

/** Schema `Problem`. */
class Problem(json: JSONObject) : Exception(json.getString("detail")) {
    val code: String = json.getString("code")
    val status: Int = json.getInt("status")
}

class IchorClient(private val url: String) {
    /** The report of one slice. */
    fun segmentSlice(slice: ByteArray): Report = Report(JSONObject(send("POST", "/v1/segment?include=", slice).body))

    /** The report of a series: a zip, a NIfTI volume or a multi-frame DICOM file. */
    fun segmentSeries(series: File): SeriesReport {
        val content = series.readBytes()
        val order = JSONObject().put("content_type", "application/zip").put("size_bytes", content.size)
        val json = mapOf("content-type" to "application/json")
        val placed = Upload(JSONObject(send("POST", "/v1/uploads", order.toString().toByteArray(), json).body))
        // The headers belong to the signature of the address: send them unchanged.
        val headers = placed.put.headers.keys().asSequence().associateWith { placed.put.headers.getString(it) }
        send("PUT", placed.put.url, content, headers)

        while (true) {
            val answer = send("GET", placed.jobUrl)
            val job = Job(JSONObject(answer.body))
            job.error?.let { throw it }
            job.resultUrl?.let { return SeriesReport(JSONObject(send("GET", it).body)) }
            // A job that is queued or running answers 202; one that has expired does not.
            check(answer.status == 202) { "job ${job.state}" }
            Thread.sleep(1000 * answer.retryAfterSeconds)
        }
    }

    private class Answer(val status: Int, val body: String, val retryAfterSeconds: Long)

    /** Body and Retry-After; throws the problem document of an error. */
    private fun send(
        method: String,
        address: String,
        body: ByteArray? = null,
        headers: Map<String, String> = emptyMap()
    ): Answer {
        // Addresses of jobs are relative to the API, or lead to the store.
        val connection = URL(URL(url), address).openConnection() as HttpURLConnection
        connection.requestMethod = method
        headers.forEach { (name, value) -> connection.setRequestProperty(name, value) }
        if (body != null) {
            connection.doOutput = true
            connection.setFixedLengthStreamingMode(body.size)
            connection.outputStream.use { it.write(body) }
        }
        if (connection.responseCode >= 400) {
            throw Problem(JSONObject(connection.errorStream.bufferedReader().readText()))
        }
        val text = connection.inputStream.bufferedReader().readText()
        return Answer(connection.responseCode, text, connection.getHeaderFieldLong("retry-after", 1))
    }
}

private fun JSONArray.objects(): List<JSONObject> = (0 until length()).map { getJSONObject(it) }
