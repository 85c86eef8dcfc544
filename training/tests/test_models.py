"""Both architectures: shapes, file size, and the exported file against PyTorch."""

import numpy as np
import onnx
import pytest
import torch

from training import export, models
from training.evaluate import MirrorAverage
from training.model_efficientnet import filter_per_channel

KINDS = [{"kind": "unet", "base": 16}, {"kind": "deeplabv3", "width": 96}]
LARGEST_FILE = 12 * 2**20


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: kind["kind"])
def model(request):
    torch.manual_seed(0)
    made = models.build(request.param)
    made(torch.randn(4, 1, 64, 64))  # statistics of BatchNorm that are not the identity
    return made.eval()


@torch.no_grad()
def test_outputs_have_the_shapes_of_the_contract(model):
    mask, labels = model(torch.zeros(2, 1, 128, 128))
    assert mask.shape == (2, 1, 128, 128) and labels.shape == (2, 6)


def test_exported_file_agrees_with_pytorch_and_is_small(model, tmp_path):
    path = tmp_path / "model.onnx"
    export.export_onnx(model, path, 256)
    images = np.random.default_rng(0).normal(size=(1, 1, 256, 256)).astype(np.float32)
    assert export.largest_difference(export.as_stored(model), path, images) < 1e-4
    assert export.largest_difference(model, path, images) < 0.02, "f16 storage costs too much"
    assert path.stat().st_size < LARGEST_FILE
    assert list(tmp_path.iterdir()) == [path], "weights belong inside the one file"


def test_exported_graph_has_plain_operators_and_static_shapes(model, tmp_path):
    path = tmp_path / "model.onnx"
    export.export_onnx(model, path, 256)
    graph = onnx.load(path).graph
    kinds = {node.op_type for node in graph.node}
    assert "BatchNormalization" not in kinds
    assert not kinds & {"Shape", "Gather", "ConstantOfShape", "Where", "Equal"}, kinds
    assert [d.dim_value for d in graph.input[0].type.tensor_type.shape.dim] == [1, 1, 256, 256]
    assert [output.name for output in graph.output] == ["mask_logits", "slice_logits"]


def test_imagenet_weights_load_into_the_encoder():
    fresh = models.build(KINDS[1])
    taught = models.build(KINDS[1], pretrained=True)
    assert taught.encoder._conv_stem.weight.shape == (32, 1, 3, 3)
    last = taught.encoder._blocks[-1]._project_conv.weight
    assert not torch.equal(last, fresh.encoder._blocks[-1]._project_conv.weight)


def test_unknown_architecture_is_refused():
    with pytest.raises(KeyError):
        models.build({"kind": "transformer"})


@torch.no_grad()
def test_the_mirror_average_is_equal_for_a_slice_and_its_mirror_image():
    torch.manual_seed(0)
    model = MirrorAverage(models.build({"kind": "unet", "base": 8})).eval()
    image = torch.randn(1, 1, 32, 32)
    (mask, slices), (mirrored, same) = model(image), model(image.flip(3))
    torch.testing.assert_close(mirrored.flip(3), mask)
    torch.testing.assert_close(same, slices)
    assert not torch.allclose(model.model(image.flip(3))[0].flip(3), model.model(image)[0])


def test_a_released_file_can_be_trained_further(tmp_path):
    torch.manual_seed(0)
    made = models.build(KINDS[1])
    made(torch.randn(8, 1, 64, 64))
    path = tmp_path / "model.onnx"
    export.export_onnx(made.eval(), path, 64)
    images = torch.randn(8, 1, 64, 64)
    loaded = export.load_onnx(path, KINDS[1], images)
    assert any(isinstance(module, torch.nn.BatchNorm2d) for module in loaded.modules())
    assert export.largest_difference(loaded, path, images[:2].numpy()) < 1e-4
    with torch.no_grad():
        answer, _ = loaded.eval()(images)
        learning, _ = loaded.train()(images)
    assert (answer - learning).abs().max() < 0.01 * answer.std(), "the statistics are those of the images"


def test_a_file_of_another_architecture_is_refused(tmp_path):
    path = tmp_path / "model.onnx"
    export.export_onnx(models.build({"kind": "unet", "base": 8}).eval(), path, 64)
    with pytest.raises(ValueError, match="another architecture"):
        export.load_onnx(path, KINDS[1], torch.zeros(1, 1, 64, 64))


def test_the_faster_dilated_convolution_gives_the_same_result():
    torch.manual_seed(0)
    filters = torch.nn.Conv2d(6, 6, 5, 1, 4, 2, groups=6, bias=False)
    x = torch.randn(2, 6, 8, 8)
    assert torch.allclose(filter_per_channel(filters, x), filters(x), atol=1e-5)
    odd = torch.randn(2, 6, 7, 7)
    assert torch.equal(filter_per_channel(filters, odd), filters(odd))
