"""Jobs and the list of models, against the server."""

from pathlib import Path

import numpy as np
import pytest
from ichor_client import (
    Analysis,
    AnswerError,
    DeadlineError,
    Ichor,
    InputError,
    InvalidRequestError,
    Job,
    JobError,
    NotFoundError,
    Progress,
)
from scripted import Answer, report, scripted

# A PNG of one white pixel.
WHITE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAsTj2FAAAAABJRU5ErkJggg=="


def test_a_job_gives_the_result_of_one_request_and_reports_its_progress(
    ichor: Ichor, head: tuple[Path, list], analysis: Analysis
):
    seen: list[Progress] = []
    with ichor.submit(head[0], model="unet", probabilities=True) as job:
        result = job.wait(progress=seen.append)
        finished = list(job.slices(after=6))
    assert seen[-1] == Progress(done=8, total=8) and [part.done for part in seen] == sorted(part.done for part in seen)
    assert np.array_equal(result.mask(), analysis.mask()) and result.volume_ml == analysis.volume_ml
    assert np.array_equal(result.probability_map(), analysis.probability_map())
    assert result.regions_table().equals(analysis.regions_table())
    assert [part.index for part in finished] == [6, 7]
    with pytest.raises(NotFoundError) as caught:
        job.status()
    assert caught.value.code == "job_not_found"
    job.delete()


def test_progress_makes_segment_use_a_job_and_delete_it(
    ichor: Ichor, slice_file: Path, monkeypatch: pytest.MonkeyPatch
):
    jobs: list[Job] = []
    create = Job.__init__

    def record(job: Job, *given: object) -> None:
        create(job, *given)  # type: ignore[arg-type]
        jobs.append(job)

    monkeypatch.setattr(Job, "__init__", record)
    seen: list[Progress] = []
    result = ichor.segment(slice_file, progress=seen.append)
    assert result.is_series and result.detected is True and result.mask().shape[0] == 1 and seen
    with pytest.raises(NotFoundError):
        jobs[0].status()


def test_a_job_is_found_again_by_its_address(ichor: Ichor, slice_file: Path):
    job = ichor.submit(slice_file)
    assert job.status().state in ("queued", "running", "done")
    for name in (job.url, job.url.rsplit("/", 1)[1]):
        result = ichor.job(name).wait()
        assert result.detected is True and result.mask().any()
    with pytest.raises(InputError, match="not known here"):
        result.to_seg()
    job.delete()
    for name in ("../models", "https://example.org/v1/jobs/a", "/v1/jobs/a/b", ""):
        with pytest.raises(InputError, match="name of a job"):
            ichor.job(name)


def test_a_job_that_fails_raises_the_problem_of_its_input(ichor: Ichor):
    with pytest.raises(InvalidRequestError) as caught:
        ichor.segment(b"no image at all", as_job=True)
    assert caught.value.code == "unsupported_media_type" and caught.value.status == 415


def status(state: str, **changes) -> Answer:
    job: dict = {
        **{"id": "j", "state": state, "created_at": "x", "expires_at": "x", "progress": None, "slices": []},
        **{"result": None, "result_url": None, "error": None, "warnings": []},
    }
    return Answer(202 if state in ("queued", "running") else 200, job | changes)


def series_report(*areas_px: int) -> dict:
    """A series of slices of 1 x 1 px with these areas."""
    part = report()
    slices = [
        {
            **{"index": index, "source": index, "placement": None, "extent_mm": None, "probability": 0.5},
            **{"probability_alone": 0.5, "threshold": 0.5, "readout": part["readout"]},
            **{"area_px": area, "area_mm2": None, "lesions": []},
        }
        for index, area in enumerate(areas_px)
    ]
    image = {"slices": len(slices), "slice_spacing_mm": None, "tilt_degrees": None, "key_slice": 0}
    volume: dict = {"total_volume_ml": None, "lesions": [], "key_slice": None, "warnings": []}
    return part | {"series": part["image"] | image, "volume": volume, "slices": slices}


def test_a_mask_that_the_result_does_not_confirm_is_dropped():
    """A slice is reported before its neighbours are known; the result can take its mask back."""
    result = series_report(1, 0)
    white = report()["mask"] | {"base64": WHITE}
    partial = [Answer(body=part | {"image": report()["image"], "mask": white}) for part in result["slices"]]
    links = [{"index": index, "url": f"/v1/jobs/j/slices/{index}"} for index in (0, 1)]
    done = status("done", result_url="/v1/jobs/j/result", slices=links)
    with scripted(done, Answer(body=result), *partial) as script:
        assert Ichor(script.url).job("j").wait().mask().tolist() == [[[True]], [[False]]]
    assert [path for _, path, *_ in script.requests][1:] == ["/v1/jobs/j/result", *(link["url"] for link in links)]


def test_pictures_without_end_are_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ichor_client.analysis.MAX_VOXELS", 2)
    for areas, is_refused in (((0, 0), False), ((0, 0, 0), True)):
        with scripted(Answer(body=series_report(*areas))) as script:
            analysis = Ichor(script.url).segment(b"image")
        if is_refused:
            with pytest.raises(AnswerError, match="more than 2 px together"):
                analysis.mask()
        else:
            assert analysis.mask().shape == (2, 1, 1)


def test_an_expired_job_and_one_that_does_not_end_are_errors():
    with scripted(status("expired")) as script, pytest.raises(JobError, match="expired"):
        Ichor(script.url).job("j").wait()
    with scripted(status("running")) as script:
        with pytest.raises(DeadlineError):
            Ichor(script.url).job("j").wait(timeout=0.5)
        assert 1 <= len(script.requests) <= 4, "it is asked for at intervals"


def test_models_limits_and_cards_are_read(ichor: Ichor):
    models = ichor.models()
    assert ichor.is_ready() and {model.name for model in models.models} == {"deeplabv3", "unet"}
    assert models.limits.max_slices == 512 and "research" in models.disclaimer
    assert ichor.model().name == models.default == "deeplabv3" and ichor.model("unet").classes[0].code
    assert ichor.model_card("unet").startswith("# Model card")
    with pytest.raises(NotFoundError, match="deeplabv3, unet"):
        ichor.model("resnet")
    with pytest.raises(NotFoundError):
        ichor.model_card("../../etc")
