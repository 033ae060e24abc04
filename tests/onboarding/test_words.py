import re

from doorstep.onboarding.failures import WrongCode
from doorstep.onboarding.steps import Step
from doorstep.onboarding.words import FAILURES, STEPS
from doorstep.runtime.webfiles import web_folder


def test_scripts_know_no_failure_without_words() -> None:
    scripts = (path.read_text("utf-8") for path in web_folder().glob("*.js"))
    thrown = set(re.findall(r'new SetupFailure\(\s*"([a-z-]+)"', "\n".join(scripts)))
    assert {"wrong-code", "lost", "bad-network"} <= thrown <= FAILURES.keys()


def test_page_says_what_the_command_says() -> None:
    assert STEPS.keys() == {step.key for step in Step}
    assert STEPS["no-internet"].next_step == Step.NO_INTERNET.next_step
    assert FAILURES["wrong-code"].sentence == WrongCode().message
    assert all(words.sentence for words in (*STEPS.values(), *FAILURES.values()))
