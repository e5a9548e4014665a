package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"capsize/cluster"
	"capsize/ui/course"
)

func learnCommand() *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use:   "learn [LESSON]",
		Short: "Learn Raft in ten lessons that ask before they show",
		Long: `Learn Raft in ten lessons, each 3 to 6 minutes long. A lesson asks what will happen;
the running cluster gives the answer. Once in each lesson you deliver the messages
yourself.

LESSON is a number or a name; without it, a menu shows all lessons and what you have
done. At the end of a lesson, n returns to the menu. Without a terminal, the lessons
are listed, and a LESSON is played as lines of text.

Progress is kept in course.json in $XDG_STATE_HOME/capsize (~/.local/state/capsize),
on macOS in ~/Library/Application Support/capsize, on Windows in %LocalAppData%\capsize.`,
		Args:              from(0, 1, ""),
		ValidArgsFunction: completeLesson,
		RunE:              func(cmd *cobra.Command, args []string) error { return learn(cmd, args, f) },
	}
	f.addScreen(cmd.Flags())
	f.addRoom(cmd.Flags())
	f.addAnswers(cmd.Flags())
	complete(cmd)
	f.addSeed(cmd)
	addExact(&f.exact, cmd.Flags())
	return cmd
}

// learn shows the menu of the course or, with an argument, plays a lesson.
func learn(cmd *cobra.Command, args []string, f flags) error {
	lessons, err := course.Lessons()
	if err != nil {
		return err
	}
	store, problem := course.Open(stateDir())
	menu := &course.Menu{Lessons: lessons, Store: store}
	if problem != nil {
		menu.Message = problem.Error()
	}
	menu.First()
	cfg := cluster.Config{Nodes: 1, Settings: cluster.DefaultSettings()}
	cfg.Settings.Storage = cluster.Memory // behind the menu
	if cmd.Flags().Changed("seed") {
		for i := range lessons {
			lessons[i].Script.Settings.Seed = f.seed
		}
	}
	if len(args) > 0 {
		if menu.Cursor, err = course.Find(lessons, args[0]); err != nil {
			return usageError{err}
		}
		script := menu.Lesson().Script
		f.screen.Script, cfg.Nodes, cfg.Settings = script, script.Nodes, script.Settings
	}
	if !f.isPlain() {
		f.screen.Course = menu
		return playground(cmd, cfg, f)
	}
	if problem != nil {
		_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "capsize: %v\n", problem)
	}
	if len(args) == 0 {
		return writeCourse(cmd.OutOrStdout(), menu, f.screen.Lang)
	}
	return playground(cmd, cfg, f)
}

// completeLesson completes the name of a lesson.
func completeLesson(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	lessons, _ := course.Lessons()
	var names []cobra.Completion
	for _, l := range lessons {
		names = append(names, cobra.CompletionWithDesc(l.Name(), l.Script.Title))
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// writeCourse writes a line for each lesson, with its title in a language, and how to start one.
func writeCourse(w io.Writer, menu *course.Menu, language string) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, l := range menu.Lessons {
		done := ""
		switch r := menu.Store.Result(l.Name()); {
		case r.Done && r.Asked > 0:
			done = fmt.Sprintf("done, %d/%d right", r.Right, r.Asked)
		case r.Done:
			done = "done"
		}
		_, _ = fmt.Fprintf(table, "%s\t%d min\t%s\t%s\n", l.Name(), l.Minutes(), l.Script.TitleIn.In(language, l.Script.Title), done)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\nRun \"capsize learn\" in a terminal for the menu, or \"capsize learn %d\" for the next lesson.\n", menu.Lesson().Number)
	return err
}

// stateDir returns the directory for what the program keeps between runs, "" if the system names
// none.
func stateDir() string {
	var base string
	switch runtime.GOOS {
	case "windows":
		base = os.Getenv("LocalAppData")
	case "darwin":
		if home, err := os.UserHomeDir(); err == nil {
			base = filepath.Join(home, "Library", "Application Support")
		}
	default:
		base = os.Getenv("XDG_STATE_HOME")
		// A relative path is invalid (XDG Base Directory Specification).
		if home, err := os.UserHomeDir(); !filepath.IsAbs(base) && err == nil {
			base = filepath.Join(home, ".local", "state")
		}
	}
	if !filepath.IsAbs(base) {
		return ""
	}
	return filepath.Join(base, "capsize")
}
