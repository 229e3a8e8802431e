from solution import Ledger, settle


def test_balance():
    ledger = Ledger()
    ledger.deposit("ann", 500)
    ledger.withdraw("ann", 120)
    assert ledger.balance("ann") == 380
    assert ledger.history("ann") == [500, -120]


def test_settle():
    assert settle([("ann", "bob", 30), ("bob", "cyd", 30)]) == {"ann": -30, "cyd": 30}
