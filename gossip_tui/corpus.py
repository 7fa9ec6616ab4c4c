"""What the demo swarm talks about: small stories of a few lines, and answers to people who join in."""

from __future__ import annotations

__all__ = ["ANSWERS", "STORIES"]

STORIES: tuple[tuple[str, ...], ...] = (
    (
        "who took the last of the coffee?",
        "define took",
        "it was here at sequence 3 and gone at sequence 4",
        "so the cup happened before the confession",
        "a clear case of causality",
    ),
    (
        "what time is it?",
        "by whose clock?",
        "mine says you asked before I answered, that is all it says",
        "good enough to catch a message, useless for trains",
    ),
    (
        "I have a joke about UDP",
        "go on",
        "I am not sure you would get it",
        "I got it twice, dropped one",
    ),
    (
        "who is in charge here?",
        "nobody",
        "then who decided that?",
        "nobody, that is the beauty of it",
    ),
    (
        "does anybody know everybody?",
        "I know eight of us, and they know eight each",
        "so between us we know everybody and none of us does",
        "my grandmother's village worked like that",
    ),
    (
        "I heard something and pass it on",
        "from whom?",
        "from somebody who heard it",
        "that is how I heard it as well",
    ),
    (
        "my view turned over completely since breakfast",
        "so did mine, healthy living",
        "I still miss the old ones",
        "they are one hop away, say hello through me",
    ),
    (
        "is it raining where you are?",
        "it rains on every node of this machine",
        "then we must be in the same case",
    ),
    (
        "two of us just said the same thing at the same moment",
        "which one was first?",
        "neither, they are concurrent",
        "how peaceful",
    ),
    (
        "lunch?",
        "yes",
        "where?",
        "wherever most rumours point",
        "the noodle place it is",
    ),
    (
        "somebody left without saying goodbye",
        "give it a second, perhaps it is only slow",
        "a second is up, it is out of my view",
        "if it comes back we tell it everything it missed",
    ),
    (
        "I only speak when I have something to say",
        "how is the silence going?",
        "interrupted, thanks",
    ),
    (
        "does anybody remember message number one?",
        "I do, it said hello",
        "to whom?",
        "to whom it may concern, like all of them",
    ),
    (
        "the oldest in my view has not been heard of for twenty exchanges",
        "have you tried asking it?",
        "I am always going to ask the oldest next",
        "then it will not stay the oldest for long",
    ),
    (
        "I would like to report a rumour",
        "true or false?",
        "delivered",
        "then it is everybody's rumour now",
    ),
    (
        "how do you keep a secret in this network?",
        "you do not send it",
        "and if it is already sent?",
        "then at least it arrives in order",
    ),
    (
        "I was told the network is down",
        "by whom?",
        "by the network",
        "it does like to complain",
    ),
    (
        "what do you call a server in a gossip network?",
        "what?",
        "a neighbour with ideas above its station",
    ),
    (
        "my clock has grown to two dozen entries",
        "mine too, it looks like a telephone book",
        "with one number for each of us, and all of them go up",
    ),
    (
        "testing, testing",
        "it works",
        "so do you",
    ),
    (
        "if I tell four, and each of them tells four",
        "then after three rounds everybody knows",
        "and after four rounds everybody knows twice",
        "that is what the duplicates column is for",
    ),
    (
        "anybody seen my cat?",
        "describe it",
        "grey, two ears, walks by its own strategy",
        "rand, push-pull, swapper?",
        "mostly rand",
    ),
    (
        "I lost a datagram this morning",
        "where did you last see it?",
        "it left here in perfect health",
        "somebody will ask for it again, they always do",
        "found it, the repair was quicker than the tea",
    ),
    (
        "good night everybody",
        "it is the middle of the day",
        "there is no global clock, let me have my night",
    ),
)
"""Each line answers the one before it, and is said by somebody who has read that."""

ANSWERS: tuple[str, ...] = (
    "a new voice, welcome",
    "word of that is all over the network already",
    "I heard you here, four hops from nowhere",
    "noted, and passed on",
    "I told everybody, as one does",
    "interesting, I shall say I knew it first",
    "that one came through without a scratch",
    "agreed, for all I know, which is eight peers",
    "and who told you that?",
    "I was about to say the same, concurrently",
)
"""What a node of the swarm says to somebody who is not of the swarm."""
