/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A drawing as a plain array of marks with ids: made by layout functions, read by painters, asked by pointers. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What a colour is for; the palette knows how it looks. */
typedef enum {
  APP_INK_NONE,
  APP_INK_TEXT,
  APP_INK_DIM,     /* secondary text, ticks */
  APP_INK_RULE,    /* grid lines, borders */
  APP_INK_SURFACE, /* cards */
  APP_INK_BACKGROUND,
  APP_INK_ACCENT,
  APP_INK_GOOD,
  APP_INK_WARN,
  APP_INK_BAD,
  APP_INK_SERIES,  /* t: index */
  APP_INK_RAMP,    /* t: 0 to 1, sequential */
  APP_INK_DIVERGE, /* t: -1 to 1, two-sided about 0 */
} AppInkRole;

typedef struct {
  AppInkRole role;
  float      t;
  float      alpha; /* 0 means 1 */
} AppInk;

#define APP_INK(r) ((AppInk) { .role = APP_INK_##r })

typedef enum { APP_MARK_RECT, APP_MARK_LINE, APP_MARK_POINT, APP_MARK_TEXT, APP_MARK_GRID } AppMarkKind;

typedef enum { APP_MARKER_DISC, APP_MARKER_SQUARE, APP_MARKER_DIAMOND, APP_MARKER_TRIANGLE, APP_MARKER_CROSS,
               APP_MARKER_RING } AppMarker;

typedef struct { double x, y; } AppPoint;

/* How a cell of a grid stands. */
enum {
  APP_CELL_PRUNED = 1 << 0,
  APP_CELL_PINNED = 1 << 1,   /* by hand: must stay */
  APP_CELL_RELEASED = 1 << 2, /* by hand: must go */
};

/**
 * AppGrid: a matrix to be shown as coloured cells; reference counted, not changed once shared.
 * @values: (array): n_rows x n_cols
 * @state: (nullable) (array): bits of APP_CELL_..., one byte a cell
 * @group: (nullable) (array): number of the group each cell belongs to, -1 for none
 * @block: (nullable) (array): what cells lie in, for a second, stronger outline; -1 for nothing
 * @level: coarser versions, by halves: the value of largest size of each 2 x 2
 * @limit: value at full colour
 * @sequential: colours from 0 to @limit instead of -@limit to @limit
 * @digits: (nullable): printf format of the number written into large cells
 */
typedef struct _AppGrid AppGrid;
struct _AppGrid {
  gatomicrefcount ref_count;
  gsize           n_rows, n_cols;
  float          *values;
  guint8         *state;
  gint32         *group;
  gint32         *block;
  AppGrid        *level; /* the next coarser, nullable */
  float           limit;
  gboolean        sequential;
  gboolean        counts; /* write values as whole numbers into large cells */
};

AppGrid *app_grid_new   (gsize    n_rows,
                         gsize    n_cols,
                         gboolean has_state,
                         gboolean has_group);
AppGrid *app_grid_ref   (AppGrid *grid);
void     app_grid_unref (AppGrid *grid);
/* Room for blocks, each cell in none. */
void     app_grid_want_blocks (AppGrid *grid);
/* Finds the limit and makes the coarser levels; call once, when the values are in. */
void     app_grid_seal  (AppGrid *grid);

/**
 * AppMark: one thing that is drawn.
 * @id: what it stands for, -1 where it is only decoration
 * @w: extent; for a point its diameter
 * @first: for a line: index of its first point in the scene
 * @text: (nullable): of a text
 * @tip: (nullable): what the pointer and the screen reader are told
 * @align: of a text: 0 start at x, 0.5 centred, 1 ends at x
 */
typedef struct {
  AppMarkKind kind;
  gint64      id;
  double      x, y, w, h;
  AppInk      fill, stroke;
  double      line_width;
  double      radius;
  double      size;   /* of text, in px */
  double      align;
  guint       first, n_points;
  AppMarker   marker;
  gboolean    bold;
  gboolean    dashed;
  gboolean    hatch;
  gboolean    curve;  /* a line that leaves and arrives vertically */
  gboolean    arrow;
  gboolean    upright; /* text turned by 90 degrees */
  guint       lines;   /* that a text has at most, broken where it meets @w; it is cut after the last, 0 being 1 */
  const char *text;
  const char *tip;
  AppGrid    *grid;
} AppMark;

/**
 * AppScene:
 * @scale: how far content is enlarged, and
 * @origin_x: where its corner lies: what zooming and panning start from
 * @content_w: extent of the content at scale 1
 * @area: the part of the drawing that content is clipped to
 */
typedef struct {
  GArray       *marks;  /* AppMark */
  GArray       *points; /* AppPoint */
  GStringChunk *text;
  double        width, height;
  double        scale, origin_x, origin_y, content_w, content_h;
  struct { double x, y, w, h; } area;
} AppScene;

/* What a layout is asked for. @zoom 0 means: all of it. */
typedef struct {
  double   width, height;
  double   text;    /* size of ordinary text, px */
  double   zoom;
  double   x, y;    /* origin of the content, read when zoom is not 0 */
  gboolean rtl;
} AppView;

AppScene *app_scene_new       (const AppView  *view);
void      app_scene_free      (AppScene       *scene);
AppMark  *app_scene_rect      (AppScene       *scene,
                               gint64          id,
                               double          x,
                               double          y,
                               double          w,
                               double          h,
                               AppInk          fill);
AppMark  *app_scene_line      (AppScene       *scene,
                               AppInk          stroke,
                               double          line_width,
                               const AppPoint *points,
                               guint           n_points);
AppMark  *app_scene_segment   (AppScene       *scene,
                               AppInk          stroke,
                               double          x1,
                               double          y1,
                               double          x2,
                               double          y2);
AppMark  *app_scene_point     (AppScene       *scene,
                               gint64          id,
                               double          x,
                               double          y,
                               double          size,
                               AppInk          fill);
AppMark  *app_scene_text      (AppScene       *scene,
                               const char     *text,
                               double          x,
                               double          y,
                               double          size,
                               double          align,
                               AppInk          ink);
AppMark  *app_scene_grid      (AppScene       *scene,
                               AppGrid        *grid,
                               double          x,
                               double          y,
                               double          w,
                               double          h);
void      app_scene_tip       (AppScene       *scene,
                               AppMark        *mark,
                               const char     *tip);
void      app_scene_transform (AppScene       *scene,
                               double          scale,
                               double          dx,
                               double          dy);
void      app_scene_mirror    (AppScene       *scene);

/* What lies at a place: its id, or -1. Points are met within a finger's breadth. */
gint64         app_scene_pick      (const AppScene *scene,
                                    double          x,
                                    double          y);
const AppMark *app_scene_find      (const AppScene *scene,
                                    gint64          id);
gboolean       app_scene_locate    (const AppScene *scene,
                                    gint64          id,
                                    double         *x,
                                    double         *y,
                                    double         *w,
                                    double         *h);
/* The next thing in a direction (-1, 0, +1 each): what the arrow keys walk. -1 at the border. */
gint64         app_scene_neighbour (const AppScene *scene,
                                    gint64          id,
                                    int             dx,
                                    int             dy);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AppScene, app_scene_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AppGrid, app_grid_unref)

G_END_DECLS
