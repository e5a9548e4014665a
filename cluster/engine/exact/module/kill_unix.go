//go:build unix

package module

import (
	"os/exec"
	"syscall"
)

// killWithChildren makes the end of the command's context kill the compilers that the go
// command runs as well.
func killWithChildren(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
