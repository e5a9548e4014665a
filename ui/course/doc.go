// Package course is the course of lessons: which there are, what a learner has done of them, and the
// menu to choose from.
//
// A [Lesson] is a built-in scenario; title, summary, length and questions come from its file alone.
// A [Store] keeps the [Result] of each lesson in a file of the user's state directory. It never
// destroys a file that it does not understand: a damaged one is set aside, and one of a newer version
// stays as it is. A [Menu] is which lesson the cursor is on; [Paint] draws it, as a pure function.
package course
