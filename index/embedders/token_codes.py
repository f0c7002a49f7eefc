"""How do token vectors become small enough to keep? A bit a dimension, for late interaction.

A token vector of 384 numbers is 1.5 kB, and a passage has hundreds. Kept is only on which side of some hundred planes it lies: the vectors of
all tokens have a large part in common, which is taken away first; then a fixed rotation spreads what is left over all planes alike, and the
signs are kept. A question's tokens keep their numbers. docs/adr/0013 has what was measured.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from xuesi.core.arrays import mapped
from xuesi.core.ports import Bits, Floats, TokenCodes

BITS = 320  # 40 bytes a token
FORM = f"signs-{BITS}-1"  # part of a model's fingerprint: changed when codes of one program mean nothing to another
MEAN = "token_mean.npy"
_SEED = 384

# What the common part is taken from: plain sentences of the kind that libraries hold, since only the mean over all their tokens counts.
SAMPLE = (
    "主题教育要把学习研讨、调查研究、推动发展、检视整改贯通起来。",
    "各单位应当制定实施方案，明确目标任务、责任部门和完成时限。",
    "领导干部到基层调研，听取群众意见，形成问题清单和整改措施。",
    "第十二条 数据共享应当遵循统一标准、分级管理、安全可控的原则。",
    "2023年，全省共办理案件一千二百三十五件，同比增长百分之六点八。",
    "这座城市位于长江中游，面积约八千五百平方公里，人口超过一千万。",
    "他出生于一九三五年，早年学习物理，后来成为著名作家。",
    "小组长负责记录发言，会后三天内把材料送到办公室。",
    "什么是调查研究？它是了解情况、发现问题、找到办法的过程。",
    "读书班每天上午集中自学，下午分组讨论，晚上整理笔记。",
    "Theme education combines study, research, development and rectification.",
    "Each unit draws up a plan that names tasks, deadlines and the people responsible.",
    "Officials visit villages and factories, listen to people and write down what troubles them.",
    "Article 7. Data may be shared only under common standards and with proper protection.",
    "In 2023 the province handled 1,235 cases, an increase of 6.8 percent over the year before.",
    "The city lies on the middle reaches of the river and has more than ten million inhabitants.",
    "She was born in 1935, studied physics at the university and later became a famous writer.",
    "The group leader keeps the minutes and sends them to the office within three days.",
    "What is a field visit? It is a way to learn facts, to find problems and to look for answers.",
    "The reading class studies alone in the morning and discusses in small groups in the afternoon.",
)


@dataclass(frozen=True, slots=True)
class TokenCoder:
    """Turns token vectors into codes, and a question's into what codes are compared with. `mean` (dimension,) is the mean token vector of the model."""

    mean: Floats

    @staticmethod
    def read(folder: Path) -> "TokenCoder":
        """The one of a prepared model. Raises FileNotFoundError, ValueError or EOFError if there is none."""
        return TokenCoder(np.array(mapped(folder / MEAN)))

    def write(self, folder: Path) -> None:
        """Keep it in a prepared model's folder."""
        np.save(folder / MEAN, self.mean, allow_pickle=False)

    def codes(self, vectors: Floats) -> Bits:
        """(tokens, BITS / 8) uint8 of (tokens, dimension) unit vectors; the first plane is the highest bit of the first byte."""
        return np.packbits(self._rotated(vectors) > 0, axis=1)

    def question(self, vectors: Floats) -> Floats:
        """(tokens, BITS) float32 of unit norm of (tokens, dimension) unit vectors."""
        rotated = self._rotated(vectors)
        norms: Floats = np.linalg.norm(rotated, axis=1, keepdims=True)
        unit: Floats = np.divide(rotated, np.maximum(norms, np.float32(1e-12)), dtype=np.float32)
        return unit

    def _rotated(self, vectors: Floats) -> Floats:
        rotated: Floats = np.matmul(vectors - self.mean, _planes(len(self.mean)), dtype=np.float32)
        return rotated


def joined(codes: Sequence[Bits]) -> TokenCodes:
    """The codes of several passages, at least one, as one."""
    starts = np.concatenate([[0], np.cumsum([len(its) for its in codes])]).astype(np.int32)
    return TokenCodes(np.concatenate(codes), starts)


@cache
def _planes(dimension: int) -> NDArray[np.float32]:
    """(dimension, BITS): orthonormal columns where there are as many dimensions as planes, and rows where there are fewer.

    The same on every machine: RandomState's numbers are promised to stay as they are, and the sign of each direction is settled here.
    """
    most = max(dimension, BITS)
    square, upper = np.linalg.qr(np.random.RandomState(_SEED).standard_normal((most, most)))
    planes: NDArray[np.float32] = (square * np.sign(np.diag(upper)))[:dimension, :BITS].astype(np.float32)
    return planes
