"""Eight simulated devices and JAX's compilation cache, for every test; a module's programs end with it."""

import os
import tempfile

os.environ.setdefault("JAX_PLATFORMS", "cpu")
# Programs here run a few steps: optimising them would take most of the suite's time.
os.environ.setdefault("XLA_FLAGS", "--xla_force_host_platform_device_count=8 --xla_backend_optimization_level=0")
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", os.path.join(tempfile.gettempdir(), "mmjax-test-cache"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.2")

import hypothesis  # noqa: E402
import jax  # noqa: E402 (after the variables that it reads)
import pytest  # noqa: E402

hypothesis.settings.register_profile("suite", deadline=None)  # no test depends on how fast a machine is
hypothesis.settings.load_profile("suite")


@pytest.fixture(scope="module", autouse=True)
def programs_end_with_their_module():
    """A program on a CPU holds memory maps, of which Linux gives a process 65,530: too few for a whole suite."""
    yield
    jax.clear_caches()
