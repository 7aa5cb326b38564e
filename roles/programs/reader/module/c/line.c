/* A string generator of rsyslog: template(type="plugin" plugin="vaern") is the line of an event. What it takes from a message it asks rsyslog's
 * exported functions for, and no field of a message is touched. */
#include "config.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "rsyslog.h"
#include "conf.h"
#include "msg.h"
#include "syslogd-types.h"
#include "template.h"
#include "unicode-helper.h"
#include "module-template.h"

MODULE_TYPE_STRGEN
/* Never unloaded: Rust's library leaves destructors with each thread. */
MODULE_TYPE_KEEP
STRGEN_NAME("vaern")
DEF_SMOD_STATIC_DATA

struct text {
	const uchar *start;
	size_t length;
};
/* The same order as in line.rs. */
struct texts {
	struct text source, whole, body, sender, received;
};
bool vaern_line_start(void);
void vaern_line(const struct texts *message, struct text *line);

static msgPropDescr_t source_name, sender_address, time_of_reception;
static struct templateEntry in_utc;

struct property {
	uchar *text;
	rs_size_t length;
	unsigned short owned;
};

static struct text ask(smsg_t *pMsg, struct templateEntry *format, msgPropDescr_t *which, struct property *answer)
{
	answer->text = MsgGetProp(pMsg, format, which, &answer->length, &answer->owned, NULL);
	return (struct text){answer->text, answer->length};
}

BEGINstrgen
	struct property source = {0}, sender = {0}, received = {0};
	struct texts message;
	struct text line;
	uchar *whole;
	int length;
CODESTARTstrgen
	getRawMsg(pMsg, &whole, &length);
	message.whole = (struct text){whole, length};
	message.body = (struct text){getMSG(pMsg), getMSGLen(pMsg)};
	message.source = ask(pMsg, NULL, &source_name, &source);
	message.sender = ask(pMsg, NULL, &sender_address, &sender);
	message.received = ask(pMsg, &in_utc, &time_of_reception, &received);
	vaern_line(&message, &line);
	if(line.length >= iparam->lenBuf)
		CHKiRet(ExtendBuf(iparam, line.length + 1));
	if(line.length > 0)
		memcpy(iparam->param, line.start, line.length);
	iparam->param[line.length] = '\0';
	iparam->lenStr = line.length;
finalize_it:
	if(source.owned)
		free(source.text);
	if(sender.owned)
		free(sender.text);
	if(received.owned)
		free(received.text);
ENDstrgen

BEGINmodExit
CODESTARTmodExit
	msgPropDescrDestruct(&source_name);
	msgPropDescrDestruct(&sender_address);
	msgPropDescrDestruct(&time_of_reception);
ENDmodExit

BEGINqueryEtryPt
CODESTARTqueryEtryPt
CODEqueryEtryPt_STD_SMOD_QUERIES
ENDqueryEtryPt

BEGINmodInit()
CODESTARTmodInit
	*ipIFVersProvided = CURR_MOD_IF_VERSION;
CODEmodInit_QueryRegCFSLineHdlr
	if(!vaern_line_start())
		ABORT_FINALIZE(RS_RET_ERR);
	CHKiRet(msgPropDescrFill(&source_name, (uchar*) "$!source", strlen("$!source")));
	CHKiRet(msgPropDescrFill(&sender_address, (uchar*) "fromhost-ip", strlen("fromhost-ip")));
	CHKiRet(msgPropDescrFill(&time_of_reception, (uchar*) "timegenerated", strlen("timegenerated")));
	in_utc.eEntryType = FIELD;
	in_utc.data.field.eDateFormat = tplFmtRFC3339Date;
	in_utc.data.field.options.bDateInUTC = 1;
ENDmodInit
