"""What the study is made of.

Results that a later change alters are made again: raise ``revision`` of the parts that it touches, or
``strategy_revisions`` where it touches single strategies, such as ``{"badge": 2}``. Nothing else is run
again.
"""

from study.part import Part, PlannedRun

_FROM_10 = ("budget.initial=10", "budget.query=[10,30,50,100,300,500]", "budget.total=1000")
_FROM_500 = ("budget.initial=500", "budget.query=500", "budget.total=3000")
_BY_100 = ("budget.initial=500", "budget.query=100", "budget.total=3000")

_MAIN = (
    *("random", "least_confidence", "margin", "entropy", "l2", "cosine", "kl"),
    *("badge", "bald", "passive", "uherding", "dropquery"),
)
# bald, batchbald, mean_std, variation_ratios and vote_entropy sample by dropout: this network has none.
# dropquery drops features of the same head that the others have.
_WITHOUT_DROPOUT = (
    *("random", "least_confidence", "margin", "entropy", "l2", "cosine", "kl", "badge"),
    *("class_balanced", "cluster_margin", "kmeans", "power", "probcover", "shortlist", "softmax"),
    *("softrank", "typiclust", "passive", "ratio", "mix", "maxherding", "uherding", "dropquery"),
)
# The mean that a pick raises is that over 10,000 random images instead of all: a fifth of the time.
_BY_A_SAMPLE = dict.fromkeys(
    ("maxherding", "uherding"), ("strategy.exact_up_to=10000", "strategy.references=10000")
)
_SHOWN = ("random", "entropy", "margin", "badge", "l2", "dropquery")
# A network that trains on all labels takes half an hour to two hours, and differs little by seed.
_PASSIVE = {"passive": 1}
# Since 2026-11-30: k-means by matrix products, badge from other first bounds, other draws of ties.
_REVISIONS = {
    **dict.fromkeys(("kmeans", "typiclust", "mix", "probcover"), 3),
    "shortlist": 4,
    "cluster_margin": 2,
    "badge": 2,
}

FROZEN = Part(
    name="a",
    title="CIFAR-10, frozen",
    question="Which strategy is best for few labels and a pretrained network, frozen?",
    overrides=("dataset=cifar10", "model=efficientnet_lite0_linear", *_FROM_10),
    strategies=_WITHOUT_DROPOUT,
    strategy_revisions=_REVISIONS,
    strategy_overrides=_BY_A_SAMPLE,
    looks=(5, 10),
    shown=("random", "entropy", "margin", "typiclust", "uherding", "dropquery"),
)
FIRST = Part(
    name="a_first",
    title="CIFAR-10, frozen, first labels by typiclust",
    question="Which is best after first labels that typiclust has chosen, as a person's run has?",
    overrides=(*FROZEN.overrides, "budget.initial_policy=typiclust"),
    strategies=("random", "margin", "badge", "shortlist", "typiclust", "dropquery"),
    looks=(5, 10),
    beside="a",
)
FASHION = Part(
    name="b",
    title="Fashion-MNIST, CNN",
    question="Which strategy is best for a CNN that starts from scratch?",
    overrides=("dataset=fashion_mnist", "model=cnn", *_FROM_500),
    strategies=_MAIN,
    strategy_overrides=_BY_A_SAMPLE,
    strategy_seeds={"passive": 3},
    looks=(5, 10),
    shown=_SHOWN,
)
CIFAR = Part(
    name="c_cifar10",
    title="CIFAR-10, CNN",
    question="Is it the same on photographs?",
    overrides=("dataset=cifar10", "model=cnn", *_FROM_500),
    strategies=_MAIN,
    strategy_overrides=_BY_A_SAMPLE,
    strategy_seeds=_PASSIVE,
    shown=_SHOWN,
)
MNIST = Part(
    name="c_mnist",
    title="MNIST, CNN",
    question="Is it the same on an easy task?",
    overrides=("dataset=mnist", "model=cnn", *_FROM_500),
    strategies=_MAIN,
    strategy_overrides=_BY_A_SAMPLE,
    strategy_seeds=_PASSIVE,
    shown=_SHOWN,
)
IMBALANCED = Part(
    name="c_imbalanced",
    title="imbalanced Fashion-MNIST, CNN",
    question="Is it the same where classes are imbalanced 1:50?",
    overrides=("dataset=imbalanced_fashion_mnist", "model=cnn", *_FROM_500),
    strategies=_MAIN,
    strategy_overrides=_BY_A_SAMPLE,
    strategy_seeds=_PASSIVE,
    shown=_SHOWN,
)
FINETUNED = Part(
    name="d_finetuned",
    title="CIFAR-10, fine-tuned",
    question="What does fine-tuning the whole pretrained network change?",
    overrides=("dataset=cifar10", "model=efficientnet_lite0", *_FROM_500),
    strategies=("random", "margin", "badge", "passive"),
    strategy_seeds=_PASSIVE,
)
NOISY = Part(
    name="d_noisy",
    title="Fashion-MNIST, CNN, 10 % wrong labels",
    question="Is it the same where one label in ten is wrong?",
    overrides=("dataset=fashion_mnist", "model=cnn", "oracle=noisy", *_FROM_500),
    strategies=("random", "margin", "entropy", "badge", "passive"),
    strategy_seeds=_PASSIVE,
    beside="b",
)
SMALL_QUERIES = Part(
    name="d_query_100",
    title="Fashion-MNIST, CNN, queries of 100",
    question="Is a query of 100 better than one of 500, as in part b, which has the baselines?",
    overrides=("dataset=fashion_mnist", "model=cnn", *_BY_100),
    strategies=("random", "margin"),
    beside="b",
)

#: All runs, in their order.
PLAN: tuple[PlannedRun, ...] = (
    *FROZEN.runs(range(10)),
    *FIRST.runs(range(10)),
    *FASHION.runs(range(5)),
    *CIFAR.runs(range(5)),
    *MNIST.runs(range(5)),
    *IMBALANCED.runs(range(5)),
    *FINETUNED.runs(range(3)),
    *NOISY.runs(range(5)),
    *SMALL_QUERIES.runs(range(5)),
    *FASHION.runs(range(5, 10)),
)
