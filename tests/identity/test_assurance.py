from doorstep.identity.assurance import ASSURANCE, AssuranceLevel, IdentityMethod


def test_every_method_says_its_level_and_residual_risk() -> None:
    assert ASSURANCE.keys() == set(IdentityMethod)
    for assurance in ASSURANCE.values():
        assert all((assurance.device_holds, assurance.proved_by, assurance.residual_risk.endswith(".")))


def test_levels_order_the_methods_as_the_design_does() -> None:
    levels = [ASSURANCE[method].level for method in IdentityMethod]
    assert levels == [0, 1, 2, 2, 3]
    assert max(AssuranceLevel) is AssuranceLevel.HARDWARE_KEY
