//go:build unix

package cli

import (
	"os/exec"
	"syscall"
	"testing"
)

// terminate asks a process to end.
func terminate(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}
