//go:build unix

package ui

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/sys/unix"
)

// line is how fast a terminal reads; its zero value reads as fast as it can.
type line struct {
	mu     sync.Mutex
	piece  int              // bytes that it reads at each tick
	pieces <-chan time.Time // ticks; nil if it reads as fast as it can
	held   chan struct{}    // the reader has stopped until this is closed; nil if it has not
}

// next waits until the next bytes may be read, and returns the room for them.
func (l *line) next(buffer []byte) []byte {
	l.mu.Lock()
	piece, pieces, held := l.piece, l.pieces, l.held
	l.mu.Unlock()
	if held != nil {
		<-held
	}
	if pieces == nil {
		return buffer
	}
	<-pieces
	return buffer[:piece]
}

// slowTo limits the reader to rate bytes per second.
func (l *line) slowTo(rate int) {
	const every = 50 * time.Millisecond
	l.mu.Lock()
	defer l.mu.Unlock()
	l.piece, l.pieces = rate/int(time.Second/every), time.Tick(every)
}

// hold stops the reader, within a piece; free lets it go on as fast as it can.
func (l *line) hold() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held = make(chan struct{})
}

func (l *line) free() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held != nil {
		close(l.held)
	}
	l.pieces, l.held = nil, nil
}

// isFull reports whether the terminal takes no more output until somebody reads it.
func (x *ptyTerminal) isFull() bool {
	x.t.Helper()
	writable := []unix.PollFd{{Fd: int32(x.slave.Fd()), Events: unix.POLLOUT}}
	n, err := unix.Poll(writable, 0)
	if err != nil && !errors.Is(err, unix.EINTR) {
		x.t.Fatal(err)
	}
	return err == nil && n == 0
}

// quits are the ways to end the program.
var quits = map[string]func(*ptyTerminal) error{
	"q":       func(x *ptyTerminal) error { x.press("q"); return nil },
	"SIGTERM": func(x *ptyTerminal) error { return x.cmd.Process.Signal(syscall.SIGTERM) },
	"SIGHUP":  func(x *ptyTerminal) error { return x.cmd.Process.Signal(syscall.SIGHUP) },
}

// startBusy starts a program that draws as much as it can.
func startBusy(t *testing.T) *ptyTerminal {
	t.Helper()
	x := start(t, 200, 60, "--storage", "memory", "--speed", "3")
	x.seeLeader()
	x.press("L")
	x.seeText("load 1/s")
	return x
}

// checkRestoredLast checks that the program which ended restored the terminal, and drew
// nothing after that.
func (x *ptyTerminal) checkRestoredLast() {
	x.t.Helper()
	x.checkAsBefore()
	x.mu.Lock()
	defer x.mu.Unlock()
	output, _, _ := bytes.Cut(x.output.Bytes(), []byte("the shell is back"))
	left := bytes.LastIndex(output, []byte(ansi.ResetModeAltScreenSaveCursor))
	if left < 0 {
		x.t.Fatal("the alternate screen was never left")
	}
	if drawn := ansi.Strip(string(output[left:])); drawn != "" {
		x.t.Errorf("it draws %q after the alternate screen", drawn)
	}
}

func TestSlowTerminalIsRestored(t *testing.T) {
	for _, rate := range []int{2_000, 5_000, 10_000, 20_000} {
		for name, quit := range quits {
			t.Run(fmt.Sprintf("%d/%s", rate, name), func(t *testing.T) {
				t.Parallel()
				x := startBusy(t)
				x.mu.Lock()
				shown := x.output.Len()
				x.mu.Unlock()
				x.line.slowTo(rate)
				// What a fast terminal would have been sent by then does not fit the line.
				x.see("a little more", func(string) bool {
					x.mu.Lock()
					defer x.mu.Unlock()
					return x.output.Len() > shown+3*rate
				})
				if err := quit(x); err != nil {
					t.Fatal(err)
				}
				if status := x.end(); status != 0 {
					t.Errorf("exit status %d", status)
				}
				x.checkRestoredLast()
				x.checkNothingLeft()
			})
		}
	}
}

// A reader that has stopped, such as a terminal over a network that hangs, must not hang
// the program: it cannot draw, but it can quit. If the reader goes on later, it finds
// the terminal restored.
func TestStoppedTerminalIsRestored(t *testing.T) {
	for name, quit := range quits {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := startBusy(t)
			x.line.hold()
			x.until("the terminal takes no more output", x.isFull)
			if err := quit(x); err != nil {
				t.Fatal(err)
			}
			if status := x.end(); status != 0 {
				t.Errorf("exit status %d", status)
			}
			x.line.free()
			x.checkRestoredLast()
			x.checkNothingLeft()
		})
	}
}

// shellRuns tells this test binary, started as a child, which program it runs as a
// shell with job control would. It reports what becomes of the job on its fourth file,
// and continues the job for each line that it reads from its fifth.
const shellRuns = "CAPSIZE_TEST_SHELL_RUNS"

func actAsShell(program string, args []string) int {
	reports, orders := os.NewFile(3, "reports"), bufio.NewReader(os.NewFile(4, "orders"))
	report := func(what ...any) { _, _ = fmt.Fprintln(reports, what...) }
	signal.Ignore(syscall.SIGTTOU) // as shells do, to take the terminal back
	takeBack := func() error { return unix.IoctlSetPointerInt(0, unix.TIOCSPGRP, unix.Getpgrp()) }
	cmd := exec.Command(program, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Foreground: true, Ctty: 0}
	if err := cmd.Start(); err != nil {
		report(err)
		return 1
	}
	report(cmd.Process.Pid)
	for {
		var status syscall.WaitStatus
		if _, err := syscall.Wait4(cmd.Process.Pid, &status, syscall.WUNTRACED|syscall.WCONTINUED, nil); err != nil {
			report(err)
			return 1
		}
		switch {
		case status.Stopped():
			_ = takeBack()
			report("stopped")
			if _, err := orders.ReadString('\n'); err != nil {
				return 1
			}
			_ = unix.IoctlSetPointerInt(0, unix.TIOCSPGRP, cmd.Process.Pid)
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGCONT)
		case status.Continued():
			report("continued")
		default:
			_ = takeBack()
			report("exit", status.ExitStatus())
			return 0
		}
	}
}

// job is a program that a shell has started in a terminal.
type job struct {
	*ptyTerminal
	pid     int
	reports *bufio.Reader
	orders  io.Writer
}

func startJob(t *testing.T, args ...string) *job {
	t.Helper()
	path, err := capsizeBinary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = []string{shellRuns + "=" + path}
	fromShell, toTest, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	fromTest, toShell, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.ExtraFiles = []*os.File{toTest, fromTest}
	j := &job{ptyTerminal: open(t, 120, 36, cmd), reports: bufio.NewReader(fromShell), orders: toShell}
	_, _ = toTest.Close(), fromTest.Close()
	if _, err := fmt.Fscanln(j.reports, &j.pid); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(j.pid, syscall.SIGKILL)
		_, _ = fromShell.Close(), toShell.Close()
	})
	return j
}

// reported checks what the shell reports next.
func (j *job) reported(want string) {
	j.t.Helper()
	if got, err := j.reports.ReadString('\n'); err != nil || strings.TrimSpace(got) != want {
		j.t.Fatalf("the shell reports %q, %v, want %q\n%s", got, err, want, j.text())
	}
}

// foreground continues the job, as fg does.
func (j *job) foreground() {
	j.t.Helper()
	if _, err := io.WriteString(j.orders, "fg\n"); err != nil {
		j.t.Fatal(err)
	}
	j.reported("continued")
}

func TestStoppedJobLeavesTheTerminalToItsShell(t *testing.T) {
	for name, stop := range map[string]func(*job) error{
		"ctrl+z":              func(j *job) error { j.press("\x1a"); return nil },
		"ctrl+z in a prompt":  func(j *job) error { j.press(":\x1a"); return nil },
		"SIGTSTP":             func(j *job) error { return syscall.Kill(j.pid, syscall.SIGTSTP) },
		"SIGTSTP, slow":       func(j *job) error { j.line.slowTo(5_000); return syscall.Kill(j.pid, syscall.SIGTSTP) },
		"SIGSTOP and SIGTSTP": func(j *job) error { return syscall.Kill(j.pid, syscall.SIGTSTP) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := startJob(t, "--storage", "memory", "--seed", "1")
			j.seeLeader()
			if name == "SIGSTOP and SIGTSTP" {
				// It cannot restore anything now; what the shell wrote meanwhile must go.
				if err := syscall.Kill(j.pid, syscall.SIGSTOP); err != nil {
					t.Fatal(err)
				}
				j.reported("stopped")
				if _, err := io.WriteString(j.slave, ansi.CursorHomePosition+"the shell draws over it"); err != nil {
					t.Fatal(err)
				}
				j.seeText("the shell draws over it")
				j.foreground()
				j.see("the whole screen", func(text string) bool { return !strings.Contains(text, "the shell draws") })
			}
			for range 2 {
				if err := stop(j); err != nil {
					t.Fatal(err)
				}
				j.reported("stopped")
				j.checkAsBefore()
				j.line.free()
				j.foreground()
				j.seeLeader()
			}
			if name != "ctrl+z in a prompt" {
				j.press("i")
				j.seeText("✓ 1 (n")
			}
			j.press("\x03")
			j.reported("exit 0")
			j.end()
			j.checkAsBefore()
			j.checkNothingLeft()
		})
	}
}

func TestScenarioOnStageContinuesAfterAStop(t *testing.T) {
	j := startJob(t, "play", "leader-crash")
	j.seeText("▶ n")
	j.press("\x1a")
	j.reported("stopped")
	j.checkAsBefore()
	j.foreground()
	j.seeText("▶ n")
	j.press("n")
	j.seeText("The leader is killed")
	j.press("q")
	j.reported("exit 0")
}

// A shell that kills a stopped job continues it in the background, where the terminal is
// no longer its own.
func TestKilledStoppedJobEndsWithoutTheTerminal(t *testing.T) {
	j := startJob(t, "--storage", "memory")
	j.seeLeader()
	j.press("\x1a")
	j.reported("stopped")
	j.checkAsBefore()
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGCONT} {
		if err := syscall.Kill(j.pid, s); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := io.WriteString(j.orders, "\n"); err != nil { // the shell waits for its job again
		t.Fatal(err)
	}
	for {
		report, err := j.reports.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if report = strings.TrimSpace(report); report != "continued" {
			if report != "exit 0" {
				t.Errorf("the shell reports %q", report)
			}
			break
		}
	}
	j.checkRestoredLast()
	j.checkNothingLeft()
}

// Without a shell that could continue it, the program goes on.
func TestSuspendNeedsAShell(t *testing.T) {
	x := start(t, 120, 36, "--storage", "memory")
	x.seeLeader()
	x.press("\x1a")
	x.seeText("cannot suspend")
	x.press("i")
	x.seeText("✓ 1 (n")
	x.quits()
	x.checkAsBefore()
}
