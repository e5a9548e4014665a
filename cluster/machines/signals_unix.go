//go:build unix

package machines

import (
	"os"
	"os/exec"
	"syscall"
)

// separate keeps the signals of the terminal, such as ctrl+c, away from a child. The program itself
// ends its children.
func separate(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func stop(p *os.Process) error   { return p.Signal(syscall.SIGSTOP) }
func resume(p *os.Process) error { return p.Signal(syscall.SIGCONT) }
