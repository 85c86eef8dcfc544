"""U-Net (Ronneberger, Fischer and Brox 2015), four levels down and four up, with a slice head."""

import torch
from torch import nn

from training.slice_head import SliceHead, pool


def double_conv(inputs: int, outputs: int) -> nn.Sequential:
    """Two 3x3 convolutions, each with BatchNorm (folded into the convolution on export) and ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
        nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class UNet(nn.Module):
    """[B, 1, H, W] to mask logits [B, 1, H, W] and slice logits [B, classes]; H and W are multiples of 16.

    The decoder enlarges by 2x2 transposed convolutions. They cover each output pixel exactly once, so that there is no
    checkerboard, and run as one matrix product in the native engine.
    """

    def __init__(self, base: int = 16, classes: int = 6, dropout: float = 0.2):
        super().__init__()
        widths = [base * 2**level for level in range(5)]
        self.down = nn.ModuleList(
            double_conv(inputs, outputs) for inputs, outputs in zip([1] + widths[:-1], widths)
        )
        self.pool = nn.MaxPool2d(2)
        self.enlarge = nn.ModuleList(
            nn.ConvTranspose2d(2 * width, width, 2, stride=2) for width in reversed(widths[:-1])
        )
        self.up = nn.ModuleList(double_conv(2 * width, width) for width in reversed(widths[:-1]))
        self.dropout = nn.Dropout(dropout)
        self.mask_head = nn.Conv2d(base, 1, 1)
        self.auxiliary_head = nn.Linear(2 * widths[-1], classes)
        self.slice_head = SliceHead(sum(widths), classes, cell=8)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        skips, x = [], image
        for level in self.down[:-1]:
            x = level(x)
            skips.append(x)
            x = self.pool(x)
        levels = [x := self.down[-1](x)]
        for enlarge, level, skip in zip(self.enlarge, self.up, reversed(skips)):
            levels.append(x := level(torch.cat([enlarge(x), skip], dim=1)))
        mask = self.mask_head(x)
        if self.training:
            return mask, self.auxiliary_head(self.dropout(pool(levels[:1])))
        return mask, self.slice_head(levels, mask)
