// SPDX-License-Identifier: GPL-2.0-only
/* goalloc top on a terminal: keys, colours, scrolling, a new size. */
#include <ncurses.h>
#include <stdlib.h>
#include <string.h>

#include "top.h"

#define DELAY_MIN 0.1
#define DELAY_MAX 60.0

/* From this height on all panes are shown below each other. */
#define TALL 60

enum { PAIR_HEAD = 1, PAIR_TITLE, PAIR_BAD };

static const char *const help[] = {
	"q        end",
	"1 - 6    ledger, classes, CPUs, page heap, call sites, collector; Tab: the next one",
	"a        all panes below each other",
	"n        the next heap",
	"< >      sort by the column to the left, to the right",
	"r        the other way round",
	"z        show rows that have nothing, too",
	"Up Down PgUp PgDn Home   scroll",
	"+ -      more time between samples, less",
	"p        pause",
	"Space    sample now",
	"h        this help; any key ends it",
};

struct screen {
	struct top *top;
	int scroll;		/* lines */
	bool paused, helping, ended;
	bool more;		/* there are lines below */
};

static void screen_close(void)
{
	if (!isendwin())
		endwin();
}

static void screen_open(void)
{
	if (!newterm(NULL, stdout, stdin))
		die(STATUS_TROUBLE, "this terminal (TERM=%s) cannot do it: goalloc top --once",
		    getenv("TERM") ?: "");
	die_hook = screen_close;
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	curs_set(0);
	if (has_colors()) {
		start_color();
		use_default_colors();
		init_pair(PAIR_HEAD, COLOR_BLACK, COLOR_CYAN);
		init_pair(PAIR_TITLE, COLOR_CYAN, -1);
		init_pair(PAIR_BAD, COLOR_RED, -1);
	}
}

static attr_t style_attr(enum style style)
{
	switch (style) {
	case STYLE_HEAD:
		return has_colors() ? COLOR_PAIR(PAIR_HEAD) : A_REVERSE;
	case STYLE_TITLE:
		return A_BOLD | COLOR_PAIR(PAIR_TITLE);
	case STYLE_BAD:
		return A_BOLD | COLOR_PAIR(PAIR_BAD);
	default:
		return A_NORMAL;
	}
}

/* Bytes of as many characters as fit; none of ours is wider than one column. */
static int clip(const char *text, int columns)
{
	const char *c = text;

	while (*c && columns > 0) {
		c++;
		while ((*c & 0xc0) == 0x80)
			c++;
		columns--;
	}
	return c - text;
}

static void put_line(int y, enum style style, const char *text)
{
	attr_t attr = style_attr(style);

	attrset(attr);
	if (style == STYLE_HEAD)
		mvhline(y, 0, ' ' | attr, COLS);
	mvaddnstr(y, 0, text, clip(text, COLS));
	attrset(A_NORMAL);
}

static void put_page(const struct page *page, int top, int bottom, int scroll)
{
	int y;

	for (y = top; y < bottom && (size_t)(y - top + scroll) < page->nr; y++) {
		const struct page_line *line = &page->line[y - top + scroll];

		put_line(y, line->style, line->text);
	}
}

static void put_tabs(const struct screen *s, int y)
{
	unsigned int i;

	move(y, 0);
	for (i = 0; i < NR_PANES; i++) {
		attrset(!s->top->all && s->top->pane == i ? A_REVERSE : A_NORMAL);
		printw(" %u %s ", i + 1, pane_names[i]);
	}
	attrset(s->top->all ? A_REVERSE : A_NORMAL);
	addstr(" a all ");
	attrset(A_NORMAL);
	addstr("  h help");
	if (s->paused)
		addstr("  PAUSED");
}

/* A pane's titles stay while its rows scroll. */
static void draw_panes(struct screen *s, int y)
{
	struct page page = { .width = COLS };
	int rows = LINES - y, most;
	unsigned int i;

	if (s->top->all) {
		for (i = 0; i < NR_PANES; i++) {
			if (!top_has_pane(s->top, i))
				continue;
			if (i)
				page_add(&page, STYLE_PLAIN, "%s", "");
			top_pane(s->top, i, &page);
		}
	} else {
		top_pane(s->top, s->top->pane, &page);
	}
	most = (int)page.nr - rows;
	if (most < 0)
		most = 0;
	if (s->scroll > most)
		s->scroll = most;
	put_page(&page, y, LINES, s->scroll);
	if (s->scroll && !s->top->all && page.nr)
		put_page(&page, y, y + 1, 0);
	if (s->scroll < most && LINES > y)
		mvaddstr(LINES - 1, COLS > 10 ? COLS - 7 : 0, " more v");
	page_free(&page);
}

static void draw(struct screen *s)
{
	struct page page = { .width = COLS };
	size_t i;

	erase();
	if (s->helping) {
		put_line(0, STYLE_TITLE, "goalloc top: keys");
		for (i = 0; i < ARRAY_SIZE(help) && (int)i + 2 < LINES; i++)
			put_line(i + 2, STYLE_PLAIN, help[i]);
	} else {
		top_summary(s->top, &page);
		put_page(&page, 0, LINES, 0);
		if ((int)page.nr < LINES)
			put_tabs(s, page.nr);
		if ((int)page.nr + 1 < LINES)
			draw_panes(s, page.nr + 1);
		page_free(&page);
	}
	refresh();
}

static void sort_by(struct top *top, int step)
{
	unsigned int nr = top_nr_columns(top->pane);

	if (nr)
		top->sort[top->pane] = (top->sort[top->pane] + nr + step) % nr;
}

/* True if the key asks for a sample at once. */
static bool handle_key(struct screen *s, int key)
{
	struct top *top = s->top;

	if (s->helping) {
		s->helping = false;
		return false;
	}
	switch (key) {
	case 'q':
	case 'Q':
		s->ended = true;
		break;
	case '1' ... '0' + NR_PANES:
		top->pane = key - '1';
		top->all = false;
		s->scroll = 0;
		break;
	case '\t':
		top->pane = (top->pane + 1) % NR_PANES;
		top->all = false;
		s->scroll = 0;
		break;
	case 'a':
		top->all = !top->all;
		s->scroll = 0;
		break;
	case 'n':
		/* Others may have come. */
		top_heap(top, top->heaps[(top->heap + 1) % top->nr_heaps]);
		s->scroll = 0;
		break;
	case '<':
	case KEY_LEFT:
		sort_by(top, -1);
		break;
	case '>':
	case KEY_RIGHT:
		sort_by(top, 1);
		break;
	case 'r':
		top->reverse = !top->reverse;
		break;
	case 'z':
		top->idle = !top->idle;
		break;
	case KEY_UP:
		s->scroll -= s->scroll > 0;
		break;
	case KEY_DOWN:
		s->scroll++;
		break;
	case KEY_PPAGE:
		s->scroll = s->scroll > LINES / 2 ? s->scroll - LINES / 2 : 0;
		break;
	case KEY_NPAGE:
		s->scroll += LINES / 2;
		break;
	case KEY_HOME:
		s->scroll = 0;
		break;
	case '+':
		top->delay = top->delay * 2 > DELAY_MAX ? DELAY_MAX : top->delay * 2;
		break;
	case '-':
		top->delay = top->delay / 2 < DELAY_MIN ? DELAY_MIN : top->delay / 2;
		break;
	case 'p':
		s->paused = !s->paused;
		break;
	case ' ':
		return true;
	case 'h':
	case '?':
		s->helping = true;
		break;
	}
	return false;
}

int top_run(struct top *top)
{
	struct screen s = { .top = top };
	double next = time_monotonic() + top->delay;

	screen_open();
	top->all = LINES >= TALL;
	while (!s.ended) {
		double left = next - time_monotonic();
		int key;

		draw(&s);
		timeout(left > 0 ? (int)(left * 1000) + 1 : 0);
		key = getch();
		if (key == ERR ? !s.paused && time_monotonic() >= next : handle_key(&s, key)) {
			top_sample(top);
			next = time_monotonic() + top->delay;
		} else if (key == ERR && s.paused) {
			next = time_monotonic() + top->delay;
		}
	}
	screen_close();
	die_hook = NULL;
	return STATUS_OK;
}
