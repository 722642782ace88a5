/* Lights, materials and fog of GLES 1.1. */
#include "tests/integration/features/gles1.h"

static void ambient(void)
{
    static const GLfloat dark[] = {0.1f, 0.1f, 0.15f, 1};
    glEnable(GL_LIGHTING);
    glLightModelfv(GL_LIGHT_MODEL_AMBIENT, dark);
}

static void light_kinds(struct fx *fx, int frame)
{
    const GLfloat directional[] = {0.5f, 0.5f, 1, 0}, point[] = {-0.6f, 0.6f, 0.8f, 1};
    const GLfloat red[] = {1, 0.2f, 0.1f, 1}, blue[] = {0.1f, 0.2f, 1, 1};
    GLfloat back[4];
    ambient();
    glLightfv(GL_LIGHT0, GL_POSITION, directional);
    glLightfv(GL_LIGHT0, GL_DIFFUSE, red);
    glLightfv(GL_LIGHT1, GL_POSITION, point);
    glLightfv(GL_LIGHT1, GL_DIFFUSE, blue);
    glLightf(GL_LIGHT1, GL_LINEAR_ATTENUATION, 0.3f);
    glEnable(frame == 1 ? GL_LIGHT1 : GL_LIGHT0);
    fill_sheet(frame);
    glGetLightfv(GL_LIGHT1, GL_POSITION, back);
    fx_note(fx, back, sizeof back);
    glGetLightfv(GL_LIGHT1, GL_LINEAR_ATTENUATION, back);
    fx_note(fx, back, sizeof *back);
}

static void light_spot(struct fx *fx, int frame)
{
    const GLfloat place[] = {0, 0, 1.5f, 1}, white[] = {1, 1, 1, 1};
    const GLfloat direction[] = {0.1f * (float)frame, 0, -1};
    const GLfixed quadratic = fixed(0.2f);
    GLfloat back[3];
    GLfixed cutoff = 0;
    ambient();
    glEnable(GL_LIGHT3);
    glLightfv(GL_LIGHT3, GL_POSITION, place);
    glLightfv(GL_LIGHT3, GL_DIFFUSE, white);
    glLightfv(GL_LIGHT3, GL_SPOT_DIRECTION, direction);
    glLightx(GL_LIGHT3, GL_SPOT_CUTOFF, fixed(25));
    glLightf(GL_LIGHT3, GL_SPOT_EXPONENT, 12);
    glLightxv(GL_LIGHT3, GL_QUADRATIC_ATTENUATION, &quadratic);
    fill_sheet(frame);
    glGetLightfv(GL_LIGHT3, GL_SPOT_DIRECTION, back);
    fx_note(fx, back, sizeof back);
    glGetLightxv(GL_LIGHT3, GL_SPOT_CUTOFF, &cutoff);
    fx_note_int(fx, cutoff);
}

static void materials(struct fx *fx, int frame)
{
    const GLfloat place[] = {0.3f, 0.2f, 1, 0}, shiny[] = {1, 1, 0.8f, 1};
    const GLfloat colors[] = {0.2f, 0.6f, 0.3f, 1};
    const GLfixed glow[] = {fixed(0.1f * (float)frame), 0, fixed(0.1f), 0x10000};
    GLfloat back[4];
    GLfixed emission[4];
    ambient();
    glEnable(GL_LIGHT0);
    glLightfv(GL_LIGHT0, GL_POSITION, place);
    glLightfv(GL_LIGHT0, GL_SPECULAR, shiny);
    glMaterialfv(GL_FRONT_AND_BACK, GL_AMBIENT_AND_DIFFUSE, colors);
    glMaterialfv(GL_FRONT_AND_BACK, GL_SPECULAR, shiny);
    glMaterialxv(GL_FRONT_AND_BACK, GL_EMISSION, glow);
    glMaterialf(GL_FRONT_AND_BACK, GL_SHININESS, 10 + 20 * (float)frame);
    fill_sheet(frame);
    glGetMaterialfv(GL_FRONT, GL_DIFFUSE, back);
    fx_note(fx, back, sizeof back);
    glGetMaterialxv(GL_BACK, GL_EMISSION, emission);
    fx_note(fx, emission, sizeof emission);
}

static void color_material(struct fx *fx, int frame)
{
    const GLfloat place[] = {0, 0, 1, 0};
    (void)fx;
    ambient();
    glEnable(GL_LIGHT0);
    glLightfv(GL_LIGHT0, GL_POSITION, place);
    glEnable(GL_COLOR_MATERIAL);
    glColor4f(1, 0.3f * (float)frame, 0.5f, 1);
    fill_sheet(frame);
}

static void two_sides(struct fx *fx, int frame)
{
    const GLfloat place[] = {0, 0, 1, 0};
    GLboolean two = GL_FALSE;
    ambient();
    glEnable(GL_LIGHT0);
    glLightfv(GL_LIGHT0, GL_POSITION, place);
    glLightModelx(GL_LIGHT_MODEL_TWO_SIDE, frame != 0);
    glFrontFace(GL_CW);
    fill_sheet(frame);
    glGetBooleanv(GL_LIGHT_MODEL_TWO_SIDE, &two);
    fx_note_int(fx, two);
}

static void normal_scaling(struct fx *fx, int frame)
{
    const GLfloat place[] = {0, 0.5f, 1, 0};
    ambient();
    glEnable(GL_LIGHT0);
    glLightfv(GL_LIGHT0, GL_POSITION, place);
    if (frame == 1) {
        glEnable(GL_NORMALIZE);
    } else if (frame == 2) {
        glDisable(GL_NORMALIZE);
        glEnable(GL_RESCALE_NORMAL);
    }
    glPushMatrix();
    glScalef(0.6f, 0.6f, 0.6f);
    fill_sheet(frame);
    glPopMatrix();
    fx_note_int(fx, glIsEnabled(GL_NORMALIZE) * 2 + glIsEnabled(GL_RESCALE_NORMAL));
}

static void fog(struct fx *fx, int frame)
{
    static const GLenum modes[] = {GL_LINEAR, GL_EXP, GL_EXP2};
    const GLfloat color[] = {0.5f, 0.7f, 0.9f, 1};
    GLfloat back[4];
    glMatrixMode(GL_PROJECTION);
    glLoadIdentity();
    glFrustumf(-0.5f, 0.5f, -0.5f, 0.5f, 0.5f, 10);
    glMatrixMode(GL_MODELVIEW);
    glEnable(GL_FOG);
    glFogx(GL_FOG_MODE, (GLfixed)modes[frame]);
    glFogfv(GL_FOG_COLOR, color);
    glFogf(GL_FOG_START, 1);
    glFogf(GL_FOG_END, 5);
    glFogx(GL_FOG_DENSITY, fixed(0.4f));
    for (int i = 5; i > 0; i--) {
        glPushMatrix();
        glTranslatef(0.4f * (float)(i - 3), 0.2f * (float)(i - 3), -(float)i);
        glColor4f(1, (float)i / 5, 0, 1);
        fill_rect(-0.5f, -0.5f, 0.5f, 0.5f);
        glPopMatrix();
    }
    glGetFloatv(GL_FOG_COLOR, back);
    fx_note(fx, back, sizeof back);
    glGetFloatv(GL_FOG_DENSITY, back);
    fx_note(fx, back, sizeof *back);
    glMatrixMode(GL_PROJECTION);
    glLoadIdentity();
    glMatrixMode(GL_MODELVIEW);
}

const struct fx_feature gles1_light_features[] = {
    {"light_kinds", light_kinds, NULL},
    {"light_spot", light_spot, NULL},
    {"materials", materials, NULL},
    {"color_material", color_material, NULL},
    {"two_sides", two_sides, NULL},
    {"normal_scaling", normal_scaling, NULL},
    {"fog", fog, NULL},
};
const size_t gles1_light_feature_count = sizeof gles1_light_features / sizeof *gles1_light_features;
