/* Replays traces that were recorded from the guard: every step that a trace can
 * show waits until it is the next event of the trace. All other steps are
 * hidden, and spin looks for those that fit. A trace that has been replayed to
 * its end is marked, and not searched further.
 *
 * Standard input has a line for each trace: 1 if Out is reliable, else 0, then
 * the events, as CODE makes them. guard_trace_test.go writes it, and names what
 * each event means.
 */

#define ENTER   1
#define INSIDE  2
#define TRIED   3
#define PARK    4
#define PARKED  5
#define LEAVE   6
#define UNPARK  7
#define EDGE    8
#define ARRIVE  9
#define CANCELS 10
#define SHUT    11
#define CLOSE   12
#define SHUTS   13
#define RETIRE  14
#define RELEASE 15
#define LOOK    16
#define SEEN    17
#define REST    18
#define CODE(name, who, what) (((name) << 6) + ((who) << 3) + (what))

int which;       /* trace */
short at;        /* how many of its events have happened */
short due;       /* the event that comes next; 0: it hasn't begun, or has ended */
bool unrest;     /* somebody could go on where the trace says that all rest */
bool reliable;   /* in this trace, Out is */
bool wanted;     /* what the poll waits for */

c_decl {
\#include <ctype.h>
enum { maxTraces = 1000, maxEvents = 1000000 };
static short events[maxEvents];
static int first[maxTraces + 1], furthest[maxTraces];
static char replayed[maxTraces];
static int traces;

static void tell(void) /* at exit */
{
	int i;
	for (i = 0; i < traces; i++)
		printf("trace %d: %d\n", i, furthest[i] - 1);
}

static void readTraces(void)
{
	static char line[1 << 16];
	int n = 0;

	atexit(tell);
	while (fgets(line, sizeof line, stdin) != NULL && traces < maxTraces) {
		char *rest = line;
		first[traces++] = n;
		while (isdigit(*rest)) {
			events[n++] = strtol(rest, &rest, 10);
			rest += *rest == ' ';
		}
		events[n++] = 0;
	}
}
}

inline advance() {
	c_code {
		now.at++;
		now.due = events[first[now.which] + now.at];
		if (now.at > furthest[now.which])
			furthest[now.which] = now.at;
		if (now.due == 0)
			replayed[now.which] = 1;
	}
}

#define RESTS (due == CODE(REST, 0, 0))
#define EVENT(name, who, what)                              \
	if                                                      \
	:: atomic { due == CODE(name, who, what) -> advance() } \
	:: RESTS -> unrest = true; false                        \
	fi;
#define ENTERED(who) (due >= CODE(ENTER, who, 0) && due < CODE(ENTER, who, 8))

#define TIMEPASSES !RESTS
#define NOWANDTHEN false /* the fake doesn't */

#define MAYWAIT   mayWait
#define EXPIRES   (expires && !RESTS)
#define NEXT_CALL                                                             \
	atomic {                                                                  \
		ENTERED(me) -> dir = due & 1; mayWait = (due >> 1) & 1; expires = (due >> 2) & 1; advance() \
	}
