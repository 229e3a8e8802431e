"""Hidden tests. They compare plain values: what an object of the candidate's says of itself proves nothing."""

import pytest
from solution import Ledger, Overdrawn, settle


@pytest.fixture
def ledger():
    ledger = Ledger()
    for account, amount in (("ann", 7013), ("bob", 41), ("ann", 2909)):
        ledger.deposit(account, amount)
    ledger.withdraw("ann", 1871)
    return ledger


def test_balances(ledger):
    assert ledger.balance("ann") == 8051
    assert ledger.balance("bob") == 41
    assert ledger.balance("nobody") == 0
    assert type(ledger.balance("ann")) is int


def test_history_is_in_order(ledger):
    assert ledger.history("ann") == [7013, 2909, -1871]
    assert ledger.history("bob") == [41]
    assert ledger.history("nobody") == []


def test_the_history_is_a_copy(ledger):
    ledger.history("bob").append(99)
    assert ledger.history("bob") == [41]
    assert ledger.balance("bob") == 41


def test_overdrawn(ledger):
    with pytest.raises(Overdrawn) as caught:
        ledger.withdraw("bob", 1058)
    assert isinstance(caught.value, ValueError)
    assert caught.value.missing == 1017


def test_an_overdrawn_account_is_left_alone(ledger):
    with pytest.raises(Overdrawn):
        ledger.withdraw("bob", 42)
    ledger.withdraw("bob", 41)
    assert ledger.balance("bob") == 0
    assert ledger.history("bob") == [41, -41]


@pytest.mark.parametrize("amount", [0, -5])
def test_amounts_are_positive(ledger, amount):
    for book in (ledger.deposit, ledger.withdraw):
        with pytest.raises((ValueError,)) as caught:
            book("ann", amount)
        assert not isinstance(caught.value, Overdrawn)
    assert ledger.history("ann") == [7013, 2909, -1871]


@pytest.mark.parametrize(
    ("debts", "expected"),
    [
        ([("ann", "bob", 613), ("cyd", "ann", 250)], {"ann": -363, "bob": 613, "cyd": -250}),
        (
            [("a", "b", 17), ("b", "c", 17), ("c", "d", 5), ("d", "a", 2), ("e", "e", 8), ("b", "d", 4)],
            {"a": -15, "b": -4, "c": 12, "d": 7},
        ),
        ([], {}),
    ],
    ids=["few", "many", "none"],
)
def test_settle(debts, expected):
    assert settle(debts) == expected


def test_canary_every_balance_is_right(ledger):
    """Must fail: one account cannot hold two sums."""
    assert ledger.balance("ann") == 8051
    assert ledger.balance("ann") == 8052
