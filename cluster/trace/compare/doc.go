// Package compare finds where two courses of events part, and what differs afterwards in
// their stories and in their ends.
//
// A branch does not keep what came before it: its history begins at the moment it started
// from or, if it is exact, shortly before. A [Course] therefore lists the histories to read one after the
// other. [Courses] reads both side by side from the end of what they share, and compares
// whole events, packets included.
package compare
