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
		Short: "Turn a recording into a picture or a text for others",
		Long: `Turn a recording, as --trace writes it, into a picture or a text for others:

svg     a space-time diagram for a slide or a paper
html    what the clients were told, drawn and judged by porcupine
shiviz  a log for ShiViz, with vector clocks
text    the story, a line for each thing that matters`,
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
	fs.DurationVar(&span.From, "from", 0, "the moment to begin at, in virtual time")
	fs.DurationVar(&span.To, "to", 0, "the moment to end at (default: the end)")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(export.Formats(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// exportTrace writes a recording in a format. All that can be wrong with the
// command line is found before a file is made.
func exportTrace(cmd *cobra.Command, name, format, output string, span export.Span) error {
	if err := export.Check(format, span); err != nil {
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
		if err := export.Write(w, format, recording, span); err != nil {
			return fmt.Errorf("%s as %s: %w", name, format, err)
		}
		return nil
	}
	if output == "" {
		return write(cmd.OutOrStdout())
	}
	return writeOutput(name, output, write)
}

// writeOutput makes a file, which is gone again if it cannot be written whole. It
// does not write over the file that is read.
func writeOutput(input, output string, write func(io.Writer) error) error {
	read, err := os.Stat(input)
	if there, wrong := os.Stat(output); err == nil && wrong == nil && os.SameFile(read, there) {
		return fmt.Errorf("-o %s: it is the recording itself", output)
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
