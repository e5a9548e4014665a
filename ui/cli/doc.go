// Package cli is the command line of capsize: one file a command, the flags, the
// configuration file, and the exit status. It opens a cluster or a recording and hands
// it to the screen (ui), to plain output (ui/plain) or to a headless run.
//
// Everything a user got wrong is found before anything starts, and is reported as one
// line on standard error. Two tests of the whole project live here, because this
// package stands above all others: arrows_test.go holds which package may import
// which, tidy_test.go the sizes of the code and the names at the top level.
package cli
