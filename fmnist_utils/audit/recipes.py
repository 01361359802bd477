"""A recipe: one training run as a frozen, validated value.

The id of a recipe is the SHA-256 of its canonical JSON, so equal recipes have equal ids wherever and whenever they are written.
The hyperparameter tables of the reports are lists of recipes.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import hashlib
import inspect
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    create_model,
    model_validator,
)

from fmnist_utils.models import ACTIVATIONS, ENCODERS, MODELS
from fmnist_utils.text import UserError, nearest, say

TRAIN_IMAGES = {"official": 60_000, "sample": 10_000}

Count = Annotated[int, Field(ge=0)]
PositiveInt = Annotated[int, Field(ge=1)]
Probability = Annotated[float, Field(ge=0, lt=1)]
PositiveFloat = Annotated[float, Field(gt=0, le=1_000_000)]
# JSON and YAML know lists only; the values must be hashable and compare equal to the tuples of Python.
AsTuple = BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value)
Sizes = Annotated[tuple[PositiveInt, ...], AsTuple]


class Spec(BaseModel):
    """Base of recipes and their parts: frozen, no unknown fields, no silent conversions."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, protected_namespaces=()
    )


class CheckedSpec(Spec):
    """A spec that a reader fills in: its mistakes are told in the reader's language, all at once."""

    def __init__(self, **fields: Any) -> None:
        try:
            super().__init__(**_plain(fields))
        except ValidationError as error:
            items: dict[Any, Any] = {}  # of the choices of a union the first
            for item in error.errors(include_url=False):
                items.setdefault((*_path(item),), item)
            lines = dict.fromkeys(_explain(type(self), item) for item in items.values())
            raise BadParameters("recipes.bad", details="\n".join(lines)) from None


def _plain(value: Any) -> Any:
    """Return ``value`` with the numbers and arrays of NumPy and PyTorch in it as Python's."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_plain(item) for item in value)
    return value.tolist() if hasattr(value, "tolist") else value


class BadParameters(UserError):
    """Parameters that are misspelt, out of range, of the wrong type, or do not go together; the message lists each one."""


class DataSpec(Spec):
    """Which images, split how: the arguments of :func:`fmnist_utils.data.load_fashion_mnist`."""

    source: Literal["official", "sample"] = "official"
    val_size: Count = 10_000
    val_from: Literal["train", "test"] = "train"
    split_seed: Count | None = None
    fold: Count = 0
    train_size: PositiveInt | None = None
    subset_seed: Count | None = None
    test_size: PositiveInt | None = None
    mean: Annotated[float, Field(ge=-1, le=1)] = 0.0
    std: PositiveFloat = 1.0

    @property
    def num_train(self) -> int:
        """How many images are trained on."""
        left = TRAIN_IMAGES[self.source] - (self.val_size if self.val_from == "train" else 0)
        return min(self.train_size or left, left)

    @property
    def num_folds(self) -> int:
        """How many folds the images have that both training and validation are cut from."""
        return TRAIN_IMAGES[self.source] // self.val_size


# The arguments of the networks, by name: a new network with these arguments needs no line here.
MODEL_ARGUMENTS: dict[str, Any] = {
    "hidden_sizes": Sizes,
    "dense_sizes": Sizes,
    "latent_dim": PositiveInt,
    "kernel_size": Annotated[int, Field(ge=1, le=11)],
    "padding": Annotated[tuple[Count, Count], AsTuple],
    "encoder": Literal[tuple(ENCODERS)],
    "hidden_activation": Literal[tuple(ACTIVATIONS)],
    "output_activation": Literal[tuple(ACTIVATIONS)],
    "head_activation": Literal[tuple(ACTIVATIONS)],
    "dropout": Probability,
    "flatten_dropout": Probability,
    "latent_dropout": Probability,
    "head_dropout": Probability,
    "output_dropout": bool,
    "covering_kernels": bool,
    "pooling": bool,
    "width": PositiveInt,
    "dropout_after_flatten": bool,
    "squash_logits": bool,
}


def _model_spec(name: str) -> type[Spec]:
    arguments = inspect.signature(MODELS[name]).parameters.values()
    fields: dict[str, Any] = {"name": (Literal[name], ...)}
    for argument in arguments:
        fields[argument.name] = (MODEL_ARGUMENTS[argument.name], argument.default)
    return create_model(f"{name}_spec", __base__=Spec, **fields)


MODEL_SPECS = {name: _model_spec(name) for name in MODELS}
if TYPE_CHECKING:
    ModelSpec = Any  # one of MODEL_SPECS, which are made when the program runs
else:
    Specs = Union[tuple(MODEL_SPECS.values())]  # noqa: UP007  (their number is not known here)
    ModelSpec = Annotated[Specs, Field(discriminator="name")]


class Recipe(CheckedSpec):
    """One training run: data, network, loss, optimizer, length and seed.

    Attributes:
        loss: ``cross_entropy`` for classifiers; ``mse`` and ``l1`` for autoencoders, means over all pixels; ``mse`` for a
            classifier compares its ten outputs with the one-hot label.
        watch: the set measured after each epoch. ``"test"`` is what most reports did; ours is ``"val"``.
        select: which weights are the result: those of the last epoch, or of the best one by the loss on the watched set.
        patience: stop when that loss has not fallen for so many epochs.
        schedule: ``cosine`` falls from epoch to epoch, ``one_cycle`` rises and falls from step to step.
        flips, shifts, erasing: how each minibatch of a classifier is changed at random: see
            :class:`fmnist_utils.augmentation.Augmentation`.
        label_smoothing: share of the target that is spread over all classes; measurements take the labels as they are.
        average: how slowly an average of the weights follows them; that average is what is measured, and the result. Zero: none.
        test_flips: measure at the end too what the mean of the logits of each image and of its mirror image gives
            (``test_flipped_accuracy`` and so on).
        encoder_from: the run whose trained encoder this one starts from. Where the two latent sizes differ, only the
            convolutions fit, and only they are taken.
        freeze: how the encoder is kept as it is. ``optimizer``: its gradients are computed and thrown away, as report 3 did;
            ``gradient``: they are not computed; ``features``: it runs once, and the head trains on the codes it gave. All three
            train the same head; what differs is the time.
        precision: of the multiplications of a training step; weights, optimizer and every measurement are float32.
        loading: ``resident`` tensors, or each image on its own, as torchvision's data set and a ``DataLoader`` give it.
        measure_train: after each epoch, measure the loss on so many training images; None means on all.
        snapshots: epochs whose reconstructions of the example images are kept (0: before training).
    """

    data: DataSpec = DataSpec()
    model: ModelSpec
    loss: Literal["cross_entropy", "mse", "l1"]
    optimizer: Literal["sgd", "adam", "adamw"]
    learning_rate: PositiveFloat
    momentum: Probability = 0.0
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.0
    schedule: Literal["constant", "cosine", "one_cycle"] = "constant"
    flips: bool = False
    shifts: Annotated[int, Field(ge=0, le=14)] = 0
    erasing: Annotated[float, Field(ge=0, le=1)] = 0.0
    label_smoothing: Probability = 0.0
    average: Probability = 0.0
    test_flips: bool = False
    batch_size: Annotated[int, Field(ge=1, le=60_000)]
    num_epochs: Annotated[int, Field(ge=1, le=10_000)]
    patience: PositiveInt | None = None
    watch: Literal["val", "test"] = "val"
    select: Literal["last", "best"] = "last"
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    encoder_from: Recipe | None = None
    freeze: Literal["none", "optimizer", "gradient", "features"] = "none"
    precision: Literal["float32", "bfloat16"] = "float32"
    loading: Literal["resident", "per_image"] = "resident"
    measure_train: PositiveInt | None = None
    snapshots: Annotated[tuple[Count, ...], AsTuple] = ()

    @model_validator(mode="after")
    def _goes_together(self) -> Recipe:  # noqa: C901  (one rule after the other)
        if self.task == "reconstruction" and self.loss == "cross_entropy":
            raise UserError("recipes.loss_of_autoencoder", model=self.model.name)
        if self.task == "classification" and self.loss == "l1":
            raise UserError("recipes.loss_of_classifier", model=self.model.name)
        if self.optimizer != "sgd" and self.momentum:
            raise UserError("recipes.momentum_of_adam", momentum=self.momentum)
        if (self.augments or self.test_flips) and self.task != "classification":
            raise UserError("recipes.classifiers_only", model=self.model.name)
        if self.label_smoothing and self.loss != "cross_entropy":
            raise UserError("recipes.smoothing_of_cross_entropy", loss=self.loss)
        if self.augments and self.loading == "per_image":
            raise UserError("recipes.augmented_batches")
        if self.loading == "per_image" and (
            (self.data.mean, self.data.std) != (0, 1) or self.freeze == "features"
        ):
            raise UserError("recipes.per_image_bytes")
        if self.snapshots and self.task != "reconstruction":
            raise UserError("recipes.snapshots_of_autoencoder", model=self.model.name)
        if (self.augments or self.average) and self.freeze == "features":
            raise UserError("recipes.features_stay")
        if self.watch == "val" and not self.data.val_size:
            raise UserError("recipes.nothing_to_watch")
        if (self.freeze != "none" or self.encoder_from) and self.model.name != "encoder_classifier":
            raise UserError("recipes.no_encoder", model=self.model.name)
        if self.freeze == "features" and self.model.flatten_dropout:
            raise UserError("recipes.features_vary", dropout=self.model.flatten_dropout)
        if self.encoder_from and self.encoder_from.encoder_name != self.encoder_name:
            raise UserError(
                "recipes.other_encoder",
                given=self.encoder_from.model.name,
                wanted=self.encoder_name,
            )
        return self

    @property
    def task(self) -> str:
        """``"reconstruction"`` for autoencoders, whose targets are their inputs; else ``"classification"``."""
        return "reconstruction" if self.model.name.endswith("autoencoder") else "classification"

    @property
    def augments(self) -> bool:
        """Whether the images are changed at random in training."""
        return bool(self.flips or self.shifts or self.erasing)

    @property
    def encoder_name(self) -> str | None:
        """The kind of the network's encoder, by its name in ``ENCODERS``; None if it has none of those."""
        kinds = {"conv_autoencoder": "conv", "raschka_autoencoder": "raschka"}
        return getattr(self.model, "encoder", kinds.get(self.model.name))

    @property
    def canonical_json(self) -> str:
        """The fields that differ from their defaults, keys sorted, no white space.

        Defaults are left out so that a field added later leaves the ids of existing recipes as they are; a default, once
        published, is never changed.
        """
        fields = self.model_dump(mode="json", exclude_defaults=True)
        return json.dumps(fields, sort_keys=True, separators=(",", ":"), allow_nan=False)

    @property
    def id(self) -> str:
        """The SHA-256 of ``canonical_json``, in hexadecimal."""
        return hashlib.sha256(self.canonical_json.encode()).hexdigest()

    def but(self, changes: Mapping[str, Any] | None = None, **fields: Any) -> Recipe:
        """Return this recipe with some fields changed, checked anew; ``changes`` has them by their path, ``"model.dropout"``.

        Raises:
            BadParameters: if there is no such field, or its value is not allowed.
        """
        return changed(json.loads(self.canonical_json), {**(changes or {}), **fields})

    def value(self, path: str) -> Any:
        """Return the value of the field at ``path``: ``"learning_rate"``, ``"model.dropout"``."""
        return functools.reduce(getattr, path.split("."), self)


def changed(fields: Mapping[str, Any], changes: Mapping[str, Any]) -> Recipe:
    """Return the recipe of ``fields`` with those at the paths of ``changes`` changed; ``fields`` stays as it is.

    Raises:
        BadParameters: if that is no recipe.
    """
    copied = copy.deepcopy(dict(fields))
    for path, value in changes.items():
        set_field(copied, path, value)
    return Recipe(**copied)


def set_field(fields: dict[str, Any], path: str, value: Any) -> None:
    """Set the field at ``path`` (``model.dropout``) in nested dictionaries, which are made where they are missing.

    Raises:
        BadParameters: if on the way there is something that has no fields.
    """
    *parents, last = path.split(".")
    for depth, parent in enumerate(parents, 1):
        fields = fields.setdefault(parent, {})
        if not isinstance(fields, dict):
            raise BadParameters("recipes.no_part", name=path, part=".".join(parents[:depth]))
    fields[last] = value


def _path(item: Mapping[str, Any]) -> list[Any]:
    """Return where one of pydantic's errors is, without the tags of unions that pydantic inserts."""
    tag = re.compile(r"(constrained-\w+|list\[.*\])")
    return [p for p in item["loc"] if p not in MODEL_SPECS and not tag.fullmatch(str(p))]


def _explain(spec: type[BaseModel], item: Mapping[str, Any]) -> str:
    """Return one line for one of pydantic's errors: the parameter, what was given, what is allowed, the nearest name."""
    path = _path(item)
    for part in item["loc"][:-1]:
        inner: Any = MODEL_SPECS.get(part)
        if inner is None and part in spec.model_fields:
            inner = spec.model_fields[part].annotation
        if inspect.isclass(inner) and issubclass(inner, BaseModel):
            spec = inner
    key, name, given = "recipes.wrong", ".".join(str(part) for part in path), item["input"]
    if item["type"] == "value_error":
        error = item["ctx"]["error"]
        lines: list[str] = []
        if isinstance(error, BadParameters):  # of a recipe in this one
            lines = error.values["details"].splitlines()
        return "\n".join(f"{name}.{line}" for line in lines) or str(error)
    if item["type"] == "missing":
        return say("recipes.missing", name=name)
    if item["type"] == "extra_forbidden":
        key, given, allowed = "recipes.unknown", path[-1], list(spec.model_fields)
        parts = {"model": MODEL_ARGUMENTS, "data": DataSpec.model_fields} if spec is Recipe else {}
        deeper = [f"{part}.{field}" for part, fields in parts.items() for field in fields]
        hint = nearest(given, [*allowed, *deeper])
        return say(key, name=name, given=given, allowed=", ".join(allowed), hint=hint).rstrip()
    if path == ["model"]:
        name, allowed = "model.name", list(MODEL_SPECS)
        given = given.get("name") if isinstance(given, dict) else given
    else:
        field = next(part for part in reversed(path) if part in spec.model_fields)
        allowed = describe(spec.model_fields[field]).split(", ")
    hint = _hint(item["type"], name, given, allowed) if isinstance(given, str) else ""
    return say(key, name=name, given=given, allowed=", ".join(allowed), hint=hint).rstrip()


def _hint(wrong: str, name: str, given: str, allowed: list[str]) -> str:
    """Return how a number or a list is written that came as text, or else the nearest of the names allowed."""
    if wrong == "tuple_type" and (sizes := re.findall(r"\d+", given)):
        return say("recipes.is_list", name=name, items=f"[{', '.join(sizes)}]")
    if wrong.startswith(("int_", "float_")) and re.search(r"\d", given):
        with contextlib.suppress(ValueError):
            text = given.strip().replace(",", ".")
            number = str(int(text) if text.isdecimal() else float(text))
            # YAML reads 1e-07 as text.
            return say("recipes.is_text", number=re.sub(r"^(-?\d+)e", r"\1.0e", number))
    return nearest(given, allowed)


def describe(field: Any) -> str:
    """Return what a pydantic field allows, in words: its choices, or its type and range."""
    annotation = field.annotation
    if field.metadata:
        annotation = Annotated[(annotation, *field.metadata)]
    return _describe_schema(TypeAdapter(annotation).json_schema())


def _describe_schema(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return say("allowed.or").join(_describe_schema(option) for option in schema["anyOf"])
    if "const" in schema or "enum" in schema:
        return ", ".join(map(str, schema.get("enum", [schema.get("const")])))
    if schema.get("type") == "array":
        items = schema.get("items") or schema["prefixItems"][0]
        return say("allowed.list", items=_describe_schema(items))
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    bounds = [f"{sign} {schema[name]}" for name, sign in signs.items() if name in schema]
    return " ".join(
        [say(f"allowed.{schema.get('type', 'any')}"), say("allowed.and").join(bounds)]
    ).strip()
