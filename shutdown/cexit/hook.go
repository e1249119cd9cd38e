package cexit

/*
int zmqexit_cexit_register (void);
*/
import "C"

// registerWithC makes hook.c's handler one more of C's atexit handlers.
func registerWithC() bool { return !atexitIsSafe() || C.zmqexit_cexit_register() == 0 }

//export zmqexit_cexit_run
func zmqexit_cexit_run() { runNewest() }
