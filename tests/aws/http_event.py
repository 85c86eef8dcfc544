"""Events in the form of API Gateway: of the HTTP API (payload format 2.0) and of the REST API with keys (1.0)."""

import base64
from urllib.parse import parse_qsl

import urllib3.filepost


def http_event(method: str, path: str, *, query: str = "", body: bytes | str | None = None, **headers: str) -> dict:
    """One event; a body of bytes is sent as base64, a string unchanged. Keywords are headers (`content_type`)."""
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {"host": "api.example.org", "user-agent": "ichor-tests", **headers},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api",
            "domainName": "api.example.org",
            "domainPrefix": "api",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "ichor-tests",
            },
            "requestId": "event-1",
            "routeKey": "$default",
            "stage": "$default",
            "time": "12/Mar/2026:19:03:58 +0000",
            "timeEpoch": 1773342238000,
        },
        "isBase64Encoded": isinstance(body, bytes),
    }
    if query:
        event["queryStringParameters"] = dict(parse_qsl(query))
    if body is not None:
        event["body"] = base64.b64encode(body).decode() if isinstance(body, bytes) else body
    return event


def rest_event(method: str, path: str, *, body: bytes | None = None, **headers: str) -> dict:
    """One event of the stage `v1` of the REST API; `path` is the part after the stage."""
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    sent = {"Host": "keyed.example.org", "x-api-key": "thrown-away", **headers}
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": {"proxy": path.lstrip("/")},
        "stageVariables": None,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "keyed",
            "domainName": "keyed.example.org",
            "httpMethod": method,
            "identity": {"sourceIp": "192.0.2.1"},
            "path": f"/v1{path}",
            "protocol": "HTTP/1.1",
            "requestId": "event-2",
            "resourceId": "proxy",
            "resourcePath": "/{proxy+}",
            "stage": "v1",
        },
        "body": None if body is None else base64.b64encode(body).decode(),
        "isBase64Encoded": body is not None,
    }


def segment_event(image: bytes, *, query: str = "", media_type: str = "image/png", **headers: str) -> dict:
    """`POST /v1/segment` with the file itself as the body."""
    return http_event("POST", "/v1/segment", query=query, body=image, content_type=media_type, **headers)


def segment_form_event(image: bytes, *, query: str = "", part: str = "file") -> dict:
    """`POST /v1/segment` in the form of a browser (multipart)."""
    body, content_type = urllib3.filepost.encode_multipart_formdata({part: ("slice.png", image, "image/png")})
    return http_event("POST", "/v1/segment", query=query, body=body, content_type=content_type)
