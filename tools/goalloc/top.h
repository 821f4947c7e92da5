/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * goalloc top. top_data.c takes samples and keeps their history, top_panes.c makes
 * lines of text from them, and top_screen.c shows these on a terminal; with --once
 * they are printed instead.
 */
#ifndef GOALLOC_TOP_H
#define GOALLOC_TOP_H

#include "snapshot.h"

/* Samples that sparklines go back. */
#define HISTORY 64

enum pane { PANE_LEDGER, PANE_CLASSES, PANE_CPUS, PANE_PAGES, PANE_SITES, PANE_GC,
	    NR_PANES };

extern const char *const pane_names[NR_PANES];

/* The last values of something, oldest first. */
struct history {
	char *name;
	double value[HISTORY];
	unsigned int nr;
};

struct top {
	double delay;		/* seconds between samples */
	char **heaps;
	size_t nr_heaps, heap;
	struct snapshot now, before;
	bool has_before;
	size_t nr_histories;
	struct history *histories;

	enum pane pane;
	bool all;		/* panes below each other */
	unsigned int sort[NR_PANES];	/* column */
	bool reverse, idle;	/* idle: rows without anything are shown */
};

enum style { STYLE_PLAIN, STYLE_HEAD, STYLE_TITLE, STYLE_BAD };

struct page_line {
	char *text;
	enum style style;
};

/* Lines of text to be shown. */
struct page {
	unsigned int width;	/* columns there are */
	size_t nr;
	struct page_line *line;
};

/* top_data.c */
void top_sample(struct top *top);
void top_heap(struct top *top, const char *heap);
void top_free(struct top *top);
const struct heap *top_now(const struct top *top);
double top_seconds(const struct top *top);

/* Per second since the sample before; 0 without one. */
double top_rate(const struct top *top, int64_t now, int64_t before);
double top_stat_rate(const struct top *top, const char *stat);

/* The history of this name; NULL if there is none. */
const struct history *top_history(const struct top *top, const char *name);

/* top_panes.c, top_table.c */
void page_add(struct page *page, enum style style, const char *format, ...) PRINTF(3, 4);
void page_free(struct page *page);
void top_summary(const struct top *top, struct page *page);
bool top_has_pane(const struct top *top, enum pane pane);
void top_pane(const struct top *top, enum pane pane, struct page *page);
void top_classes(const struct top *top, struct page *page);
void top_cpus(const struct top *top, struct page *page);
void top_sites(const struct top *top, struct page *page);
unsigned int top_nr_columns(enum pane pane);
const char *top_column(enum pane pane, unsigned int column);

/* A sparkline of the last @columns values. */
void top_spark(const struct history *history, unsigned int columns, char *out);

/* top_screen.c */
int top_run(struct top *top);

#endif /* GOALLOC_TOP_H */
