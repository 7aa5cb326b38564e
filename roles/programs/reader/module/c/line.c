/* A string generator of rsyslog: template(type="plugin" plugin="vaern") is the line of an event. What it takes from a message it asks rsyslog's
 * exported functions for, and no field of a message is touched. */
#include "config.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "rsyslog.h"
#include "conf.h"
#include "msg.h"
#include "statsobj.h"
#include "syslogd-types.h"
#include "template.h"
#include "unicode-helper.h"
#include "module-template.h"

MODULE_TYPE_STRGEN
/* Never unloaded: Rust's library leaves destructors with each thread. */
MODULE_TYPE_KEEP
STRGEN_NAME("vaern")
DEF_SMOD_STATIC_DATA
DEFobjCurrIf(statsobj)

struct text {
	const uchar *start;
	size_t length;
};
/* The same order as in line.rs. */
struct texts {
	struct text source, whole, body, sender, received, reported, host, input;
};
struct counter {
	struct text name, source;
	uint64_t *value;
};
bool vaern_line_start(void);
bool vaern_counter(size_t number, struct counter *counter);
void vaern_line(const struct texts *message, struct text *line);

static msgPropDescr_t source_name, sender_address, time_of_reception, time_reported, host_name, input_name;
static struct templateEntry in_utc, as_written;
/* What is counted, of all sources: one object of rsyslog's statistics a name. */
static statsobj_t *statistics[8];
static size_t counted;

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

static void forget(struct property *property)
{
	if(property->owned)
		free(property->text);
}

BEGINstrgen
	struct property source = {0}, sender = {0}, received = {0}, reported = {0}, host = {0}, input = {0};
	struct texts message = {0};
	struct text line;
	uchar *whole;
	int length;
CODESTARTstrgen
	getRawMsg(pMsg, &whole, &length);
	message.whole = (struct text){whole, length};
	message.body = (struct text){getMSG(pMsg), getMSGLen(pMsg)};
	message.source = ask(pMsg, NULL, &source_name, &source);
	message.sender = ask(pMsg, NULL, &sender_address, &sender);
	if(message.source.length == 0) {
		message.input = ask(pMsg, NULL, &input_name, &input);
	} else {
		message.received = ask(pMsg, &in_utc, &time_of_reception, &received);
		message.reported = ask(pMsg, &as_written, &time_reported, &reported);
		message.host = ask(pMsg, NULL, &host_name, &host);
	}
	vaern_line(&message, &line);
	if(line.length >= iparam->lenBuf)
		CHKiRet(ExtendBuf(iparam, line.length + 1));
	if(line.length > 0)
		memcpy(iparam->param, line.start, line.length);
	iparam->param[line.length] = '\0';
	iparam->lenStr = line.length;
finalize_it:
	forget(&source);
	forget(&sender);
	forget(&received);
	forget(&reported);
	forget(&host);
	forget(&input);
ENDstrgen

/* rsyslog copies a name, and asks for the value when it writes its statistics. */
static rsRetVal count(const struct counter *counter, char *last)
{
	char name[128], source[128];
	DEFiRet;
	snprintf(name, sizeof(name), "%.*s", (int) counter->name.length, (const char*) counter->name.start);
	snprintf(source, sizeof(source), "%.*s", (int) counter->source.length, (const char*) counter->source.start);
	if(strcmp(name, last) != 0) {
		if(counted == sizeof(statistics) / sizeof(statistics[0]))
			ABORT_FINALIZE(RS_RET_ERR);
		CHKiRet(statsobj.Construct(&statistics[counted]));
		++counted;
		CHKiRet(statsobj.SetName(statistics[counted - 1], (uchar*) name));
		CHKiRet(statsobj.SetOrigin(statistics[counted - 1], (uchar*) "vaern"));
		CHKiRet(statsobj.ConstructFinalize(statistics[counted - 1]));
		strcpy(last, name);
	}
	CHKiRet(statsobj.AddCounter(statistics[counted - 1], (uchar*) source, ctrType_IntCtr, CTR_FLAG_NONE, counter->value));
finalize_it:
	RETiRet;
}

BEGINmodExit
CODESTARTmodExit
	while(counted > 0)
		statsobj.Destruct(&statistics[--counted]);
	objRelease(statsobj, CORE_COMPONENT);
	msgPropDescrDestruct(&source_name);
	msgPropDescrDestruct(&sender_address);
	msgPropDescrDestruct(&time_of_reception);
	msgPropDescrDestruct(&time_reported);
	msgPropDescrDestruct(&host_name);
	msgPropDescrDestruct(&input_name);
ENDmodExit

BEGINqueryEtryPt
CODESTARTqueryEtryPt
CODEqueryEtryPt_STD_SMOD_QUERIES
ENDqueryEtryPt

BEGINmodInit()
	struct counter counter;
	char last[128] = "";
	size_t number;
CODESTARTmodInit
	*ipIFVersProvided = CURR_MOD_IF_VERSION;
CODEmodInit_QueryRegCFSLineHdlr
	if(!vaern_line_start())
		ABORT_FINALIZE(RS_RET_ERR);
	CHKiRet(objUse(statsobj, CORE_COMPONENT));
	for(number = 0; vaern_counter(number, &counter); ++number)
		CHKiRet(count(&counter, last));
	CHKiRet(msgPropDescrFill(&source_name, (uchar*) "$!source", strlen("$!source")));
	CHKiRet(msgPropDescrFill(&sender_address, (uchar*) "fromhost-ip", strlen("fromhost-ip")));
	CHKiRet(msgPropDescrFill(&time_of_reception, (uchar*) "timegenerated", strlen("timegenerated")));
	CHKiRet(msgPropDescrFill(&time_reported, (uchar*) "timereported", strlen("timereported")));
	CHKiRet(msgPropDescrFill(&host_name, (uchar*) "hostname", strlen("hostname")));
	CHKiRet(msgPropDescrFill(&input_name, (uchar*) "inputname", strlen("inputname")));
	/* Not converted: 8.2504 writes .123 as .000123 then. */
	as_written.eEntryType = FIELD;
	as_written.data.field.eDateFormat = tplFmtRFC3339Date;
	in_utc.eEntryType = FIELD;
	in_utc.data.field.eDateFormat = tplFmtRFC3339Date;
	in_utc.data.field.options.bDateInUTC = 1;
ENDmodInit
