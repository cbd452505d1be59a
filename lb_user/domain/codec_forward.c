/* SPDX-License-Identifier: BSD-2-Clause */
/* codec_forward: how packets get to backends, and what tunnels are sent from. */
#include <errno.h>

#include "lb_user/domain/codec_internal.h"

static const struct sl_word words_mode[] = {
	{ "l2dsr", SL_FORWARD_L2DSR },
	{ "ipip", SL_FORWARD_IPIP },
	{ "gue", SL_FORWARD_GUE },
	{ NULL, 0 },
};
static const struct sl_word words_oversize[] = {
	{ "drop", SL_OVERSIZE_DROP },
	{ "send", SL_OVERSIZE_SEND },
	{ NULL, 0 },
};

int sl_field_prefix(const struct sl_at *at, const char *key, struct sl_prefix *ret,
		    struct sl_err *err)
{
	char text[SL_TEXT_LEN], meant[SL_PREFIX_STRLEN];
	struct sl_prefix p;
	int r = sl_field_text(at, key, text, sizeof(text), err);

	if (r <= 0)
		return r;
	r = sl_prefix_parse(text, &p);
	if (r == -ERANGE)
		return sl_at_fail(at, key, -EINVAL, err,
				  "%s \"%s\" has bits set behind its length; did you mean \"%s\"?",
				  key, text, sl_prefix_format(&p, meant));
	if (r < 0)
		return sl_at_fail(at, key, -EINVAL, err,
				  "%s \"%.*s\" is not a prefix; write it as \"192.0.2.0/24\" or "
				  "\"2001:db8::/96\", or give an address alone",
				  key, sl_text_clip(text, 64), text);
	*ret = p;
	return 1;
}

static int field_mode(const struct sl_at *at, enum sl_forward *ret, struct sl_err *err)
{
	int mode = 0;
	int r = sl_field_word(at, "mode", words_mode, &mode, err);

	if (r > 0)
		*ret = (enum sl_forward)mode;
	return r;
}

int sl_codec_service_forwarding(const struct sl_at *at, struct sl_service *s, struct sl_err *err)
{
	static const char *const known[] = { "mode", "gue_port", "oversize", NULL };
	int oversize = s->oversize, r;
	struct sl_at inner;

	r = sl_field_inner(at, "forwarding", false, &inner, err);
	if (r <= 0)
		return r;
	if ((r = sl_field_known(&inner, known, NULL, err)) < 0 ||
	    (r = field_mode(&inner, &s->forward, err)) < 0 ||
	    (r = sl_field_u16(&inner, "gue_port", 1, UINT16_MAX, &s->gue_port, err)) < 0 ||
	    (r = sl_field_word(&inner, "oversize", words_oversize, &oversize, err)) < 0)
		return r;
	s->oversize = (enum sl_oversize)oversize;
	return 0;
}

int sl_codec_backend_forwarding(const struct sl_at *at, struct sl_backend *b, struct sl_err *err)
{
	static const char *const known[] = { "mode", "gue_port", NULL };
	int mode = 0, port = 0, tag;
	struct sl_at inner;
	uint64_t vlan = 0;
	int r;

	r = tag = sl_field_number(at, "vlan", 0, SL_VLAN_MAX, &vlan, err);
	if (r < 0)
		return r;
	r = sl_field_inner(at, "forwarding", false, &inner, err);
	if (r > 0 &&
	    ((r = sl_field_known(&inner, known, NULL, err)) < 0 ||
	     (r = mode = field_mode(&inner, &b->forward, err)) < 0 ||
	     (r = port = sl_field_u16(&inner, "gue_port", 1, UINT16_MAX, &b->gue_port, err)) < 0))
		return r;
	if (r < 0)
		return r;
	if (tag)
		b->vlan = (int32_t)vlan;
	b->forward_own = mode;
	b->gue_port_own = port;
	return 0;
}

int sl_codec_encapsulation(const struct sl_at *root, struct sl_encapsulation *ret,
			   struct sl_err *err)
{
	static const char *const known[] = { "source4", "source6", NULL };
	struct sl_at inner;
	int r = sl_field_inner(root, "encapsulation", false, &inner, err);

	if (r <= 0)
		return r;
	inner.subject = "encapsulation";
	if ((r = sl_field_known(&inner, known, NULL, err)) < 0 ||
	    (r = sl_field_prefix(&inner, "source4", &ret->source4, err)) < 0 ||
	    (r = sl_field_prefix(&inner, "source6", &ret->source6, err)) < 0)
		return r;
	return 0;
}
