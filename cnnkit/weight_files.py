"""Weight files of pretrained networks: official names, addresses and checksums.

Taken from `keras.applications`, whose constants a test compares with these. Keras
publishes no checksum for MobileNetV2; the loader checks what is inside every file.
"""

from __future__ import annotations

from typing import NamedTuple


class WeightFile(NamedTuple):
    """One file of ImageNet weights."""

    filename: str
    url: str | None  # None: no such file is published, an operator converts one
    checksum: str | None  # as in `cnnkit.assets.Asset`
    parameters: int  # numbers inside, 4 bytes each


_KERAS = "https://storage.googleapis.com/tensorflow/keras-applications/"
_EFFICIENTNET = "https://storage.googleapis.com/keras-applications/"

WEIGHT_FILES = {
    "vgg16": WeightFile(
        "vgg16_weights_tf_dim_ordering_tf_kernels.h5",
        _KERAS + "vgg16/vgg16_weights_tf_dim_ordering_tf_kernels.h5",
        "md5:64373286793e3c8b2b4e3219cbf3544b",
        138_357_544,
    ),
    "vgg19": WeightFile(
        "vgg19_weights_tf_dim_ordering_tf_kernels.h5",
        _KERAS + "vgg19/vgg19_weights_tf_dim_ordering_tf_kernels.h5",
        "md5:cbe5617147190e668d6c5d5026f83318",
        143_667_240,
    ),
    "resnet50": WeightFile(
        "resnet50_weights_tf_dim_ordering_tf_kernels.h5",
        _KERAS + "resnet/resnet50_weights_tf_dim_ordering_tf_kernels.h5",
        "md5:2cb95161c43110f7111970584f804107",
        25_636_712,
    ),
    "resnet101": WeightFile(
        "resnet101_weights_tf_dim_ordering_tf_kernels.h5",
        _KERAS + "resnet/resnet101_weights_tf_dim_ordering_tf_kernels.h5",
        "md5:f1aeb4b969a6efcfb50fad2f0c20cfc5",
        44_707_176,
    ),
    "resnet152": WeightFile(
        "resnet152_weights_tf_dim_ordering_tf_kernels.h5",
        _KERAS + "resnet/resnet152_weights_tf_dim_ordering_tf_kernels.h5",
        "md5:100835be76be38e30d865e96f2aaae62",
        60_419_944,
    ),
    "resnet50_v2": WeightFile(
        "resnet50v2_weights_tf_dim_ordering_tf_kernels.h5",
        _KERAS + "resnet/resnet50v2_weights_tf_dim_ordering_tf_kernels.h5",
        "md5:3ef43a0b657b3be2300d5770ece849e0",
        25_613_800,
    ),
    "resnet101_v2": WeightFile(
        "resnet101v2_weights_tf_dim_ordering_tf_kernels.h5",
        _KERAS + "resnet/resnet101v2_weights_tf_dim_ordering_tf_kernels.h5",
        "md5:6343647c601c52e1368623803854d971",
        44_675_560,
    ),
    "resnet152_v2": WeightFile(
        "resnet152v2_weights_tf_dim_ordering_tf_kernels.h5",
        _KERAS + "resnet/resnet152v2_weights_tf_dim_ordering_tf_kernels.h5",
        "md5:a49b44d1979771252814e80f8ec446f9",
        60_380_648,
    ),
    "inception_v3": WeightFile(
        "inception_v3_weights_tf_dim_ordering_tf_kernels.h5",
        _KERAS + "inception_v3/inception_v3_weights_tf_dim_ordering_tf_kernels.h5",
        "md5:9a0d58056eeedaa3f26cb7ebd46da564",
        23_851_784,
    ),
    "xception": WeightFile(
        "xception_weights_tf_dim_ordering_tf_kernels.h5",
        _KERAS + "xception/xception_weights_tf_dim_ordering_tf_kernels.h5",
        "md5:0a58e3b7378bc2990ea3b43d5981f1f6",
        22_910_480,
    ),
    "mobilenet_v2": WeightFile(
        "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5",
        _KERAS + "mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5",
        None,
        3_538_984,
    ),
    "mobilenet_v3_small": WeightFile(
        "weights_mobilenet_v3_small_224_1.0_float.h5",
        _KERAS + "mobilenet_v3/weights_mobilenet_v3_small_224_1.0_float.h5",
        "md5:8768d4c2e7dee89b9d02b2d03d65d862",
        2_554_968,
    ),
    "mobilenet_v3_large": WeightFile(
        "weights_mobilenet_v3_large_224_1.0_float.h5",
        _KERAS + "mobilenet_v3/weights_mobilenet_v3_large_224_1.0_float.h5",
        "md5:59e551e166be033d707958cf9e29a6a7",
        5_507_432,
    ),
    "densenet121": WeightFile(
        "densenet121_weights_tf_dim_ordering_tf_kernels.h5",
        _KERAS + "densenet/densenet121_weights_tf_dim_ordering_tf_kernels.h5",
        "md5:9d60b8095a5708f2dcce2bca79d332c7",
        8_062_504,
    ),
    "nasnet_mobile": WeightFile(
        "nasnet_mobile.h5",
        _KERAS + "nasnet/NASNet-mobile.h5",
        "md5:020fb642bf7360b370c678b08e0adf61",
        5_326_716,
    ),
    "convnext_tiny": WeightFile(
        "convnext_tiny.h5",
        _KERAS + "convnext/convnext_tiny.h5",
        "sha256:8ae6e78ce2933352b1ef4008e6dd2f17bc40771563877d156bc6426c7cf503ff",
        28_589_128,
    ),
    "efficientnet_b0": WeightFile(
        "efficientnetb0.h5",
        _EFFICIENTNET + "efficientnetb0.h5",
        "md5:902e53a9f72be733fc0bcb005b3ebbac",
        5_330_571,
    ),
    "efficientnet_b1": WeightFile(
        "efficientnetb1.h5",
        _EFFICIENTNET + "efficientnetb1.h5",
        "md5:1d254153d4ab51201f1646940f018540",
        7_856_239,
    ),
    "efficientnet_b2": WeightFile(
        "efficientnetb2.h5",
        _EFFICIENTNET + "efficientnetb2.h5",
        "md5:b15cce36ff4dcbd00b6dd88e7857a6ad",
        9_177_569,
    ),
    "efficientnet_b3": WeightFile(
        "efficientnetb3.h5",
        _EFFICIENTNET + "efficientnetb3.h5",
        "md5:ffd1fdc53d0ce67064dc6a9c7960ede0",
        12_320_535,
    ),
    "efficientnet_b4": WeightFile(
        "efficientnetb4.h5",
        _EFFICIENTNET + "efficientnetb4.h5",
        "md5:18c95ad55216b8f92d7e70b3a046e2fc",
        19_466_823,
    ),
    "efficientnet_b5": WeightFile(
        "efficientnetb5.h5",
        _EFFICIENTNET + "efficientnetb5.h5",
        "md5:ace28f2a6363774853a83a0b21b9421a",
        30_562_527,
    ),
    "efficientnet_b6": WeightFile(
        "efficientnetb6.h5",
        _EFFICIENTNET + "efficientnetb6.h5",
        "md5:165f6e37dce68623721b423839de8be5",
        43_265_143,
    ),
    "efficientnet_b7": WeightFile(
        "efficientnetb7.h5",
        _EFFICIENTNET + "efficientnetb7.h5",
        "md5:8c03f828fec3ef71311cd463b6759d99",
        66_658_687,
    ),
    "efficientnet_v2_b0": WeightFile(
        "efficientnetv2-b0.h5",
        _KERAS + "efficientnet_v2/efficientnetv2-b0.h5",
        "md5:21ecbf6da12460d5c40bb2f29ceb2188",
        7_200_312,
    ),
    "efficientnet_v2_b1": WeightFile(
        "efficientnetv2-b1.h5",
        _KERAS + "efficientnet_v2/efficientnetv2-b1.h5",
        "md5:069f0534ff22adf035c89e2d9547a9dc",
        8_212_124,
    ),
    "efficientnet_v2_b2": WeightFile(
        "efficientnetv2-b2.h5",
        _KERAS + "efficientnet_v2/efficientnetv2-b2.h5",
        "md5:424e49f28180edbde1e94797771950a7",
        10_178_374,
    ),
    "efficientnet_v2_b3": WeightFile(
        "efficientnetv2-b3.h5",
        _KERAS + "efficientnet_v2/efficientnetv2-b3.h5",
        "md5:1f1fc43bd98a6e4fd8fdfd551e02c7a0",
        14_467_622,
    ),
    "efficientnet_v2_s": WeightFile(
        "efficientnetv2-s.h5",
        _KERAS + "efficientnet_v2/efficientnetv2-s.h5",
        "md5:e1d88a8495beba45748fedd0cecbe016",
        21_612_360,
    ),
    "efficientnet_v2_m": WeightFile(
        "efficientnetv2-m.h5",
        _KERAS + "efficientnet_v2/efficientnetv2-m.h5",
        "md5:a3bf6aa3276309f4fc6a34aa114c95cd",
        54_431_388,
    ),
    "efficientnet_v2_l": WeightFile(
        "efficientnetv2-l.h5",
        _KERAS + "efficientnet_v2/efficientnetv2-l.h5",
        "md5:27e6d408b53c7ebc868fefa357689935",
        119_027_848,
    ),
    "googlenet": WeightFile(
        "googlenet_bvlc.npz",
        None,
        None,
        6_998_552,
    ),
    "squeezenet": WeightFile(
        "squeezenet1_1.npz",
        None,
        None,
        1_235_496,
    ),
}

# Files without the dense layers, where these are most of a network and tie it to one size.
WITHOUT_TOP_FILES = {
    "vgg16": WeightFile(
        "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
        _KERAS + "vgg16/vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "md5:6d6bbae143d832006294945121d1f1fc",
        14_714_688,
    ),
    "vgg19": WeightFile(
        "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5",
        _KERAS + "vgg19/vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "md5:253f8cb515780f3b799900260a226db6",
        20_024_384,
    ),
}
