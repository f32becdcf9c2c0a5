"""Which images are labeled first, before any classifier has learned from labels."""

import warnings
from dataclasses import dataclass

import torch
from torch import Tensor

from al_lightning.loop.candidates import apart_from_held_out
from al_lightning.loop.group_draw import check_groups, draw_groups
from al_lightning.loop.query import Query
from al_lightning.models.backbone import describe_model
from al_lightning.run.budget import AUTO_POLICY, Budget
from al_lightning.run.journal import Journal
from al_lightning.run.pool import Pool
from al_lightning.run.questions import Origin
from al_lightning.run.raised_budget import labels_due
from al_lightning.training.fitted import Fitted
from al_lightning.training.learner import Learner
from al_lightning.utils.errors import UsageError
from al_lightning.utils.randomness import derive_generator

_FEWEST = 2  # labels to train on


@dataclass(frozen=True)
class FirstLabels:
    """Says which labels a run needs before its first round.

    Attributes:
        learner: Its untrained classifier may select them.
        query: Its initial strategy does so.
        budget: How many, and how they are drawn.
        journal: Of the run.
    """

    learner: Learner
    query: Query
    budget: Budget
    journal: Journal

    @property
    def given(self) -> int:
        """How many labels came with the images at the start, where others came without."""
        return self.journal.given_labels(len(self.learner.data.given_ids))

    def missing(self, pool: Pool) -> tuple[Origin, Tensor] | None:
        """Return what is to be labeled next, and for what; None where training can begin.

        Raises:
            UsageError: If too few images are left to train on.
        """
        if len(pool.labeled_ids) == 0:
            for origin in self._held_out:
                if len(ids := self._missing_held_out(pool, origin)):
                    return origin, ids
        if len(pool.labeled_ids) >= _FEWEST:
            return self._of_raised_budget(pool) or self._of_new_images(pool)
        given = self.learner.data.given_ids
        given = given[torch.isin(given, pool.unlabeled_ids)]
        ids = given if len(given) else self._draw(pool)
        if len(ids) == 0:
            raise UsageError(
                f"There are {len(pool.labeled_ids)} labels to train on, and no images or budget are "
                f"left: {len(pool.skipped_ids)} images were skipped, and the files of "
                f"{len(pool.absent_ids)} have gone. At least {_FEWEST} labels are needed"
            )
        return "initial", ids

    def left(self, pool: Pool) -> int:
        """Return how many labels may still be bought."""
        return self.budget.limit(pool.size, self.given) - pool.labels_bought

    def _of_raised_budget(self, pool: Pool) -> tuple[Origin, Tensor] | None:
        """Return images to label for validation or test, since a project's budget for it was raised."""
        if not self.journal.is_project:
            return None
        left = self.left(pool) - len(pool.open_ids)
        for origin in self._held_out:
            if (due := labels_due(self.journal.events, origin)) == 0:
                continue
            free = pool.candidate_ids
            labeled = torch.tensor([*pool.label_of], dtype=torch.int64)
            free = free[~torch.isin(self._owners(free), self._owners(labeled))]
            ids = self._draw_held_out(free, origin, max(0, min(due, left)))
            if len(ids) or left <= 0:  # else no group is small enough, or no image is left
                warnings.warn(_about_raised(origin, due, len(ids), pool), stacklevel=2)
            if len(ids):
                return origin, ids
        return None

    def _of_new_images(self, pool: Pool) -> tuple[Origin, Tensor] | None:
        """Return images to label for validation or test, of those that came in the course of a project.

        Of each time that some came, the share that the budget of then was of the images at the start.
        """
        arrivals, skipped, left = self.journal.arrivals, pool.skipped_ids, self.left(pool)
        for before, after, config in arrivals:
            new, others = torch.arange(before, after), torch.arange(before)
            new = new[~torch.isin(self._owners(new), self._owners(others))]
            for origin, now in self._held_out.items():
                wanted = config.get("budget", {}).get(origin, now)
                count = round(wanted * (after - before) / arrivals[0][0])
                drawn = self._draw_held_out(new, origin, count)
                asked = drawn
                if len(drawn) > left:
                    asked = self._draw_held_out(new, origin, max(left, 0))
                new = new[~torch.isin(self._owners(new), self._owners(drawn))]
                free = asked[torch.isin(asked, pool.unlabeled_ids)]
                answered = torch.isin(drawn, torch.cat([_labeled_for(origin, pool), skipped]))
                if len(free) and not bool(answered.any()):
                    return origin, free
        return None

    def _owners(self, ids: Tensor) -> Tensor:
        """Return the group of each image; of images without groups, their ids."""
        groups = self.learner.data.train.groups
        return ids if groups is None else groups[ids]

    @property
    def _held_out(self) -> dict[Origin, int]:
        """How many labels are bought for what, besides training."""
        return {"validation": self.budget.validation, "test": self.budget.test}

    def _missing_held_out(self, pool: Pool, origin: Origin) -> Tensor:
        """Return what is to be labeled next for validation or test: first those that were given.

        They are drawn from all images. Labels that were given need not be a random sample: who chose
        them, as a strategy does, may have chosen what is hard. What an answer leaves open stays open.
        """
        given, groups = self.learner.data.given_ids, self.learner.data.train.groups
        owners = torch.arange(pool.size) if groups is None else groups
        if groups is not None:
            check_groups(groups, self._held_out[origin], origin)
        labeled = _labeled_for(origin, pool)
        drawn = self._draw_held_out(torch.arange(pool.size), "validation", self.budget.validation)
        if origin == "test":
            others = ~torch.isin(owners, owners[drawn])
            drawn = self._draw_held_out(others.nonzero().squeeze(1), "test", self.budget.test)
        is_given = torch.isin(drawn, given)
        known, asked = drawn[is_given], drawn[~is_given]
        if len(known := known[~torch.isin(known, labeled)]):
            return known
        if bool((~torch.isin(labeled, given)).any()):
            return asked[:0]
        free = pool.unlabeled_ids
        if bool(torch.isin(asked, free).all()):
            return asked
        taken = torch.cat([owners[given], owners[pool.validation_ids]])
        return self._draw_held_out(free[~torch.isin(owners[free], taken)], origin, len(asked))

    def _draw_held_out(self, ids: Tensor, origin: Origin, count: int) -> Tensor:
        """Draw images for validation or test; of images in groups, whole groups."""
        seed, groups = self.learner.seed, self.learner.data.train.groups
        if groups is None:
            return draw_held_out(ids, count, seed, origin)
        return draw_groups(ids, groups[ids], count, seed, origin)

    def _draw(self, pool: Pool) -> Tensor:
        """Draw images to train on without a classifier that has learned from labels."""
        data, seed = self.learner.data, self.learner.seed
        free = apart_from_held_out(pool.unlabeled_ids, pool, data.train.groups)
        left = self.left(pool)
        # All over again only for what an earlier answer has left open.
        missing = max(self.budget.first(len(free)) - len(pool.labeled_ids), _FEWEST)
        count = max(min(missing, left, len(free)), 0)
        if count == len(free):  # there is nothing to draw
            return free
        if count > 0 and (strategy := self.query.initial_strategy) is not None:
            untrained = self.learner.untrained()
            if self._is_embedding_useful(untrained):
                return self.query.select_first(
                    strategy, untrained, free, pool.labeled_ids, count, seed
                )
        classes = data.train.labels[free]
        if self.budget.initial_policy == "balanced" and bool((classes >= 0).any()):
            warnings.warn(
                "The first labels are balanced: drawn by the classes of all images, which nobody has "
                "bought, and a person would not know. budget.initial_policy=uniform does without them",
                stacklevel=2,
            )
            return draw_balanced(free, classes, count, seed)
        return draw_uniform(free, count, seed)

    def _is_embedding_useful(self, untrained: Fitted) -> bool:
        """Return whether embeddings of the untrained network can select the first labels well."""
        if "weights" in describe_model(untrained.classifier):
            return True
        if self.budget.initial_policy == AUTO_POLICY:
            return False
        warnings.warn(
            "The first labels are selected with an untrained network; use a strategy as "
            "budget.initial_policy only with pretrained models, such as EfficientNetLite0",
            stacklevel=2,
        )
        return True


def _about_raised(origin: Origin, due: int, drawn: int, pool: Pool) -> str:
    """Return what is bought since a budget was raised, and what the figures are of from here on."""
    if drawn == 0:
        return (
            f"budget.{origin} was raised, but budget.total leaves no labels for that: raise it, too"
        )
    few = f", not {due}, since budget.total or the images leave no more" if drawn < due else ""
    return (
        f"budget.{origin} was raised: {drawn} more images for {origin} are drawn at random{few}, from "
        f"those without a label. The {len(pool.labeled_ids)} images that are trained on are not among "
        "them: if these are harder than the rest, the accuracy is somewhat too high from here on"
    )


def _labeled_for(origin: Origin, pool: Pool) -> Tensor:
    return pool.validation_ids if origin == "validation" else pool.test_ids


def draw_held_out(ids: Tensor, count: int, seed: int, purpose: str = "validation") -> Tensor:
    """Draw ``count`` of these ids, (N,) int64, to buy for validation or test, uniformly.

    Depends on the ids, the seed and the purpose alone.
    """
    generator = derive_generator(seed, purpose)
    return ids[torch.randperm(len(ids), generator=generator)[:count]]


def draw_uniform(ids: Tensor, count: int, seed: int) -> Tensor:
    """Draw ``count`` of these ids, (N,) int64, whatever their classes.

    Depends on the ids and the seed alone.
    """
    generator = derive_generator(seed, "initial")
    return ids[torch.randperm(len(ids), generator=generator)[:count]]


def draw_balanced(ids: Tensor, classes: Tensor, count: int, seed: int) -> Tensor:
    """Draw ``count`` of these ids so that the classes come in equal numbers, as far as they last.

    Images are dealt out class after class, in turns; a class that has run out is passed over, and a
    turn that cannot be completed goes to classes drawn at random.

    Args:
        ids: (N,) int64.
        classes: Their classes, (N,) int64: more than a person knows, who learns the classes of those
            images alone that they label.
        count: At most N.
        seed: With the ids and classes, all that the draw depends on.

    Returns:
        (count,) int64.
    """
    generator = derive_generator(seed, "initial")
    shuffled = torch.randperm(len(ids), generator=generator)
    turn = torch.empty(len(ids), dtype=torch.float64)
    for label in sorted(set(classes.tolist())):
        members = shuffled[classes[shuffled] == label]
        turn[members] = torch.arange(len(members), dtype=torch.float64)
    order_in_turn = torch.rand(len(ids), generator=generator, dtype=torch.float64)
    return ids[(turn + order_in_turn).argsort()[:count]]
