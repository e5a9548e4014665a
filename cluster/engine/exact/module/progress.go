package module

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/charmbracelet/x/term"
)

// showProgress shows a line that erase removes from a terminal. Elsewhere it stays.
func showProgress(to io.Writer, line string) (erase func()) {
	if to == nil {
		return func() {}
	}
	if file, ok := to.(*os.File); ok {
		if width, _, err := term.GetSize(file.Fd()); err == nil {
			// A line that reaches the last column wraps on some terminals, and could not
			// be erased.
			line = line[:max(0, min(len(line), width-1))]
			_, _ = fmt.Fprint(to, line)
			return func() { _, _ = fmt.Fprintf(to, "\r%s\r", strings.Repeat(" ", len(line))) }
		}
	}
	_, _ = fmt.Fprintln(to, line)
	return func() {}
}
