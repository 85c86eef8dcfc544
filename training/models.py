"""The architectures that a training configuration can name."""

from torch import nn

from training.model_deeplab import DeepLabV3Plus
from training.model_efficientnet import imagenet_weights
from training.model_unet import UNet


def build(architecture: dict, pretrained: bool = False) -> nn.Module:
    """Model of a configuration's `architecture`: `{"kind": "unet" | "deeplabv3", ...sizes}`.

    `pretrained` loads ImageNet weights into the encoder (deeplabv3 only). Raises KeyError on an
    unknown kind and TypeError on an unknown size.
    """
    sizes = dict(architecture)
    kind = sizes.pop("kind")
    model = {"unet": UNet, "deeplabv3": DeepLabV3Plus}[kind](**sizes)
    if pretrained and kind == "deeplabv3":
        model.encoder.load_imagenet(imagenet_weights())
    return model
