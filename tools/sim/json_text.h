/* SPDX-License-Identifier: GPL-2.0-only */
/* json_text.h - read a JSON file in which integers may be large. */
#ifndef SIM_JSON_TEXT_H
#define SIM_JSON_TEXT_H

char *json_read(const char *path);

#endif /* SIM_JSON_TEXT_H */
