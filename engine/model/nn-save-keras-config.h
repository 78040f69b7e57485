/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the writers of a Keras layer's configuration share. Internal to the room. */

#pragma once

#include "nn-save-private.h"

G_BEGIN_DECLS

/* nn-save-keras-config.c: sets the error; %NULL, for a writer to return. */
JsonObject *nn_keras_cannot              (const NnNode      *node,
                                          const char        *what,
                                          GError           **error);

/* nn-save-keras-source.c */
JsonNode   *nn_keras_to_keras2           (JsonNode          *node);
JsonObject *nn_keras_config_of_source    (const NnNode      *node,
                                          const char        *name,
                                          gboolean           keras3,
                                          const char       **class_name,
                                          GError           **error);

/* nn-save-keras-activation.c; @quantized: set where QKeras is needed */
const char *nn_keras_plain_activation    (const NnAttrs     *a);
JsonNode   *nn_keras_quantizer_node      (const NnQuantizer *q);
gboolean    nn_keras_set_activation      (const NnNode      *node,
                                          JsonObject        *config,
                                          gboolean          *quantized,
                                          GError           **error);
gboolean    nn_keras_set_role_quantizers (const NnNode      *node,
                                          JsonObject        *config,
                                          gboolean          *quantized,
                                          GError           **error);
gboolean    nn_keras_activation_config   (const NnNode      *node,
                                          JsonObject        *config,
                                          const char       **class_name,
                                          GError           **error);

G_END_DECLS
