package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"capsize/cluster/export"
)

func exportCommand() *cobra.Command {
	var format, output string
	var span export.Span
	cmd := &cobra.Command{
		Use:   "export TRACE",
		Short: "Export a recording as a diagram, a page, a ShiViz log or text",
		Long: `Export a recording made with --trace:

svg     a space-time diagram
html    the clients' history, as porcupine draws and judges it
shiviz  a log for ShiViz, with vector clocks; at most 16 MB
text    the story, one line per sentence`,
		Args: from(1, 1, "a recording"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := exportTrace(cmd, args[0], format, output, span); err != nil {
				return usageError{err}
			}
			return nil
		},
	}
	fs := cmd.Flags()
	fs.StringVarP(&format, "format", "f", "text", strings.Join(export.Formats(), ", "))
	fs.StringVarP(&output, "output", "o", "", "the file to write (default: standard output)")
	fs.DurationVar(&span.From, "from", 0, "start of the export, in virtual time")
	fs.DurationVar(&span.To, "to", 0, "end of the export (default: the end of the recording)")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(export.Formats(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// exportTrace writes a recording in a format. It validates the command line before it
// creates a file.
func exportTrace(cmd *cobra.Command, name, format, output string, span export.Span) error {
	if err := export.Validate(format, span); err != nil {
		return err
	}
	recording, missing, err := export.Read(name)
	if err != nil {
		return err
	}
	if missing != "" {
		_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "capsize: %s: %s\n", name, missing)
	}
	write := func(w io.Writer) error {
		err := export.Write(w, format, recording, span)
		if errors.Is(err, export.ErrTruncated) {
			_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "capsize: %s as %s: %v\n", name, format, err)
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s as %s: %w", name, format, err)
		}
		return nil
	}
	if output == "" {
		return write(cmd.OutOrStdout())
	}
	return writeOutput(name, output, write)
}

// writeOutput writes a file, and removes it again if it cannot be written completely.
// It refuses to overwrite its input.
func writeOutput(input, output string, write func(io.Writer) error) error {
	read, err := os.Stat(input)
	if there, wrong := os.Stat(output); err == nil && wrong == nil && os.SameFile(read, there) {
		return fmt.Errorf("-o %s: is the recording itself; choose another file", output)
	}
	file, err := os.Create(output)
	if err != nil {
		return err
	}
	buffer := bufio.NewWriter(file)
	err = write(buffer)
	if err == nil {
		err = buffer.Flush()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, os.Remove(output))
	}
	return nil
}
