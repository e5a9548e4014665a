package cli

import (
	"os/exec"
	"testing"
)

// terminate ends the test as well: a process cannot be asked to end here.
func terminate(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	t.Skip("nothing gentle can be sent to a process on this system")
}
