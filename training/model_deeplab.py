"""DeepLabV3+ (Chen et al. 2018): atrous spatial pyramid pooling and a low-level branch."""

import torch
from torch import nn
from torch.nn import functional

from training.model_efficientnet import EfficientNetLite0
from training.slice_head import SliceHead, highest_cell_mean, pool


def conv_block(inputs: int, outputs: int, kernel: int = 1, dilation: int = 1) -> nn.Sequential:
    """Convolution that keeps the size, BatchNorm, ReLU."""
    padding = dilation * (kernel // 2)
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, padding=padding, dilation=dilation, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class PyramidPooling(nn.Module):
    """Atrous convolutions of one feature map at several rates, and its mean, concatenated.

    The rates 6, 12 and 18 of the paper are for maps of 32x32 and more. On 16x16 a rate of 18 covers only padding,
    so that the rates here are 2, 4 and 7.
    """

    def __init__(self, inputs: int, outputs: int, rates=(2, 4, 7)):
        super().__init__()
        self.point = conv_block(inputs, outputs)
        self.atrous = nn.ModuleList(conv_block(inputs, outputs, 3, rate) for rate in rates)
        # No BatchNorm here: on a 1x1 map it has only one value per slice for its statistics.
        self.whole = nn.Sequential(nn.Conv2d(inputs, outputs, 1), nn.ReLU(inplace=True))
        self.join = conv_block(outputs * (2 + len(rates)), outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        whole = self.whole(x.mean(dim=(2, 3), keepdim=True))
        whole = functional.interpolate(whole, size=x.shape[2:], mode="nearest")
        return self.join(torch.cat([self.point(x), *(view(x) for view in self.atrous), whole], 1))


class DeepLabV3Plus(nn.Module):
    """[B, 1, H, W] to mask logits [B, 1, H, W] and slice logits [B, classes]; H and W are multiples of 16.

    Besides the paper's branch at 1/4 there is a narrow one at 1/2: on a 256 grid half of the small extra-axial bleeds
    cover fewer than twenty cells of the 1/4 map. In training the slice logits are those of the auxiliary head, in
    evaluation those of the head that `training.slice_head` fits.
    """

    def __init__(self, width: int = 96, classes: int = 6, dropout: float = 0.2):
        super().__init__()
        self.encoder = EfficientNetLite0()
        half, quarter, _, deep = self.encoder.channels
        self.pyramid = PyramidPooling(deep, width)
        self.low_level = conv_block(quarter, 32)
        self.refine = nn.Sequential(conv_block(width + 32, 64, 3), conv_block(64, 64, 3))
        self.fine_level = conv_block(half, 16)
        self.finish = conv_block(64 + 16, 32, 3)
        self.dropout = nn.Dropout(dropout)
        self.mask_head = nn.Conv2d(32, 1, 1)
        self.auxiliary_head = nn.Linear(2 * deep, classes)
        self.slice_head = SliceHead(deep + width + 64 + 32, classes, cell=4)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        half, quarter, _, deep = self.encoder(image)
        pyramid = self.pyramid(deep)
        refined = self.refine(torch.cat([enlarge(pyramid, 4), self.low_level(quarter)], dim=1))
        finished = self.finish(torch.cat([enlarge(refined, 2), self.fine_level(half)], dim=1))
        mask = self.mask_head(finished)
        if self.training:
            slices = self.auxiliary_head(self.dropout(pool([deep])))
            # Any hemorrhage also uses the mask, at a fixed share of one half. A learned share went to almost 0, although
            # the pooled features alone rank slices worse.
            slices = torch.cat([slices[:, :1] + 0.5 * highest_cell_mean(mask, 4), slices[:, 1:]], dim=1)
        else:
            slices = self.slice_head([deep, pyramid, refined, finished], mask)
        # Only the one output channel is enlarged here, at 1/32 of the cost of its features.
        return enlarge(mask, 2), slices


def enlarge(x: torch.Tensor, factor: int) -> torch.Tensor:
    """Bilinear, half-pixel centres (the convention that ONNX engines agree on)."""
    return functional.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False)
