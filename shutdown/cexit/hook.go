package cexit

/*
int zmqexit_cexit_register (void);
*/
import "C"

// registerWithC adds the handler in hook.c to C's atexit handlers.
func registerWithC() bool { return C.zmqexit_cexit_register() == 0 }

//export zmqexit_cexit_run
func zmqexit_cexit_run() { runNewest() }
